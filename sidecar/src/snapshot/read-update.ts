import type { Update } from '@weft/schemas/proto'
import { type Snapshot, validateSnapshot } from '@weft/schemas/snapshot'

export type ReadUpdate = { readonly snapshot: Snapshot } | { readonly faults: readonly string[] }

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The snapshot in an Update, whole and meant for `identity`; or every reason why it cannot be used. Never throws. */
export function readUpdate(update: Update, identity: string): ReadUpdate {
  let value: unknown
  try {
    value = JSON.parse(UTF8.decode(update.snapshotJson))
  } catch (error) {
    return {
      faults: [`snapshot_json: expected JSON in UTF-8 (${error instanceof Error ? error.message : ''})`],
    }
  }
  const result = validateSnapshot(value)
  if ('faults' in result) return result
  const faults: string[] = []
  const { version, workload } = result.snapshot
  if (BigInt(version) !== update.version)
    faults.push(`version: expected ${update.version}, as around it, came ${version}`)
  if (workload.identity !== identity)
    faults.push(`workload.identity: expected ${identity}, which this sidecar is, came ${workload.identity}`)
  return faults.length > 0 ? { faults } : result
}
