/**
 * Keeps the brokers' ACLs of the mesh's workloads as the AccessPolicies say:
 *
 *   change of resources ─┐
 *   retry after backoff ─┼→ read ACLs → compare → create what is missing → delete what is too much
 *   every minute ────────┘
 *
 * Missing ones first: a change from one ACL to another leaves no time without. ACLs of principals that are not of the trust domain are left
 * alone, and so are those that no policy can lead to.
 */
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { MeshSpec } from '@weft/schemas/resources'
import { reasonsOf } from '../kafka/reasons.ts'
import { startPasses } from '../reconcile/passes.ts'
import { type AclAdmin, createAcls, deleteAcls, readAcls } from './broker-acls.ts'
import { type AclBinding, type AclPlan, aclKey } from './plan.ts'
import { isOurs } from './principal.ts'

export interface AclWriterOptions {
  /** Undefined while the mesh has no cluster. */
  readonly admin: () => Promise<AclAdmin | undefined>
  readonly mesh: () => Pick<MeshSpec, 'kafka' | 'defaultAction'>
  readonly trustDomain: string
  readonly wanted: () => AclPlan
  readonly onChange: (listener: () => void) => () => void
  readonly log: Log
}

/** What is, beside what should be. */
export interface AclReview {
  readonly mode: 'managed' | 'unmanaged'
  readonly acls: readonly ReviewedAcl[]
  readonly remarks: readonly string[]
  /** How many there are that are not the mesh's. */
  readonly foreign: number
}

export interface ReviewedAcl extends AclBinding {
  /** present: as it should be · missing: to be created · surplus: to be deleted */
  readonly state: 'present' | 'missing' | 'surplus'
}

export interface AclWriter {
  /** Asks the broker and changes nothing. Throws `unavailable` where there is no cluster or the broker does not answer. */
  review(): Promise<AclReview>
  close(): Promise<void>
}

/** Somebody else may have changed them. */
const RESYNC_MS = 60_000

/** Starts at once; ends with `close`. */
export function startAclWriter(options: AclWriterOptions): AclWriter {
  const { log, trustDomain } = options
  let failure = ''

  async function compare(admin: AclAdmin) {
    const { bindings, remarks } = options.wanted()
    const wanted = new Map(bindings.map((binding) => [aclKey(binding), binding]))
    const stored = await readAcls(admin)
    const ours = stored.flatMap((acl) =>
      acl !== undefined && isOurs(acl.principal, trustDomain) ? [acl] : [],
    )
    const there = new Set(ours.map(aclKey))
    return {
      wanted,
      there,
      remarks,
      missing: [...wanted].flatMap(([key, binding]) => (there.has(key) ? [] : [binding])),
      surplus: ours.filter((acl) => !wanted.has(aclKey(acl))),
      foreign: stored.length - ours.length,
    }
  }

  async function pass(): Promise<boolean> {
    const mesh = options.mesh()
    if (mesh.kafka?.acls !== 'managed') return true
    const obstacle = obstacleIn(mesh)
    if (obstacle !== undefined) {
      say(obstacle)
      return true
    }
    try {
      const admin = await options.admin()
      if (admin === undefined) return true
      const { missing, surplus, remarks } = await compare(admin)
      if (missing.length > 0) await createAcls(admin, missing)
      if (surplus.length > 0) await deleteAcls(admin, surplus)
      if (missing.length + surplus.length > 0)
        log.info({ created: missing.length, deleted: surplus.length, remarks }, 'ACLs of the brokers changed')
      failure = ''
      return true
    } catch (error) {
      say(reasonsOf(error))
      return false
    }
  }

  function say(reason: string): void {
    if (reason !== failure)
      log.warn({ reason }, 'ACLs of the brokers are not as the policies say; trying again')
    failure = reason
  }

  async function review(): Promise<AclReview> {
    const mesh = options.mesh()
    const admin = await options.admin()
    if (mesh.kafka === undefined || admin === undefined)
      throw new MeshError('unavailable', 'the Mesh resource names no Kafka cluster')
    const { acls: mode } = mesh.kafka
    const obstacle = obstacleIn(mesh)
    try {
      const { wanted, there, surplus, remarks, foreign } = await compare(admin)
      if (obstacle !== undefined) return { mode, acls: [], remarks: [obstacle], foreign }
      return {
        mode,
        acls: [
          ...[...wanted].map(
            ([key, acl]) => ({ ...acl, state: there.has(key) ? 'present' : 'missing' }) as const,
          ),
          ...surplus.map((acl) => ({ ...acl, state: 'surplus' }) as const),
        ],
        remarks,
        foreign,
      }
    } catch (error) {
      const reason = reasonsOf(error)
      if (NO_AUTHORIZER.test(reason)) return { mode, acls: [], remarks: [WITHOUT_AUTHORIZER], foreign: 0 }
      throw new MeshError('broker_unavailable', `the brokers' ACLs cannot be read: ${reason}`, {
        cause: error,
      })
    }
  }

  const passes = startPasses({ pass, onChange: [options.onChange], resyncMs: RESYNC_MS })
  return { review, close: passes.close }
}

/** SECURITY_DISABLED, in the broker's own words. */
const NO_AUTHORIZER = /No Authorizer is configured/
const WITHOUT_AUTHORIZER =
  'the brokers have no authorizer, so nothing is enforced there: set authorizer.class.name (docs/how-to/broker-acls.md)'

/** Why no ACL is written or taken away, whatever the policies say. */
function obstacleIn({ kafka, defaultAction }: Pick<MeshSpec, 'kafka' | 'defaultAction'>): string | undefined {
  if (kafka?.security !== 'mtls')
    return 'brokers know workloads by their certificates only: set spec.kafka.security of the Mesh to mtls'
  return defaultAction === 'allow'
    ? 'brokers deny by default: set spec.defaultAction of the Mesh to deny, or nobody could do anything'
    : undefined
}
