/**
 * What `decide` answers most often, prepared. All that is known before a request comes (the caller, the service, the
 * policies) is worked out once per connection and snapshot; what is left per request is its method and path.
 */
import { httpMatches, type PolicyIndex, speaksOf, targets } from './decide.ts'
import { normalisePath } from './path.ts'
import type { HttpAction, HttpMatch, Subject } from './types.ts'

export interface Permits {
  /**
   * True: `decide` allows it, and has no policy in audit mode to name. False says nothing: ask `decide`, which is the truth.
   * `path` is without query, as it came.
   */
  covers(method: string, path: string): boolean
}

const EVERYTHING: HttpMatch = {}

/** For one caller of one service, as long as this index is in force. */
export function permitsOf(
  index: PolicyIndex,
  subject: Subject,
  callee: Pick<HttpAction, 'resource' | 'service' | 'namespace'>,
): Permits {
  const allowed: HttpMatch[] = []
  const denied: HttpMatch[] = []
  const anyAction: HttpAction = { protocol: 'http', ...callee, method: '', path: '' }
  for (const policy of index.policies) {
    if (!targets(policy, anyAction, subject)) continue
    const matches = policy.action === 'allow' ? allowed : denied
    for (const rule of policy.rules) {
      if (!speaksOf(rule, policy, index, subject)) continue
      if (rule.to === undefined) matches.push(EVERYTHING)
      else for (const { http } of rule.to) if (http !== undefined) matches.push(http)
    }
  }
  return {
    covers(method, path) {
      const normal = normalisePath(path)
      if (normal === undefined) return false
      const action = { method, path: normal }
      for (const match of denied) if (httpMatches(match, action)) return false
      for (const match of allowed) if (httpMatches(match, action)) return true
      return false
    },
  }
}
