import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { SidecarMessage, Update } from '@weft/schemas/proto'
import { peerOf } from './peer.ts'
import { SidecarStream, type StreamOptions } from './sidecar-stream.ts'
import { toStatus } from './status.ts'

export interface ConfigStreams {
  readonly handler: handleBidiStreamingCall<SidecarMessage, Update>
  /** Ends every stream; sidecars keep what they have and connect again. New ones are refused from now on. */
  stop(reason: MeshError): void
}

/** The handler of `ConfigStream.Stream`, and the one subscription to the provider that feeds all streams. */
export function createConfigStreams(options: StreamOptions): ConfigStreams {
  const streams = new Set<SidecarStream>()
  let stopped: MeshError | undefined
  let scheduled = false

  // Many resources change in one turn (a folder is read, an API call brings a list): one push for all of them.
  const unsubscribe = options.snapshots.onChange(() => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      for (const stream of streams) stream.push()
    })
  })

  return {
    handler: (call) => {
      const peer = peerOf(call)
      const refusal =
        stopped ??
        (peer === undefined
          ? new MeshError(
              'unauthenticated',
              'the config stream needs the certificate of a workload: join first',
            )
          : undefined)
      if (peer === undefined || refusal !== undefined) {
        call.emit('error', toStatus(refusal, options.log))
        return
      }
      const stream = new SidecarStream(call, peer, options)
      streams.add(stream)
      call.once('close', () => streams.delete(stream))
    },
    stop: (reason) => {
      stopped = reason
      unsubscribe()
      for (const stream of streams) stream.end(reason)
    },
  }
}
