/**
 * A workload that leaves the mesh learns of it before or after its callers do. What a caller sends in between has to be
 * refused in the one way that it may safely send again elsewhere, whatever the method: see ServerStream.
 */
import { MeshError } from '@weft/schemas/error'
import type { IndexedSnapshot, SnapshotSource } from '@weft/schemas/snapshot'
import type { Service } from '../transport/exchange.ts'

/** The Service that selects this workload. Throws MeshError `unavailable` where none does, or none does any more. */
export function ownService({ snapshot }: IndexedSnapshot): { service: string; namespace: string } {
  const { service, namespace } = snapshot.workload
  if (service === undefined) throw withdrawn()
  return { service, namespace }
}

/** For HTTP/2: throws, before anything of the request is begun, where there is no Service. */
export function refuseWithdrawn(inner: Service, snapshots: SnapshotSource): Service {
  return {
    call(head, response) {
      if (snapshots.current().snapshot.workload.service === undefined) throw withdrawn()
      return inner.call(head, response)
    },
  }
}

const withdrawn = (): MeshError =>
  new MeshError('unavailable', 'expected a Service that selects this workload; none does')
