import { type Api, isFlexible } from './api.ts'
import { Writer } from './writer.ts'

interface Span {
  readonly from: number
  readonly to: number
}

/** A request frame with these of its topics only, cut from it without reading them. */
export function withTopics(
  api: Api,
  version: number,
  request: {
    readonly frame: Buffer
    readonly topicsFrom: number
    readonly topicsTo: number
    readonly kept: readonly Span[]
  },
): Buffer {
  const { frame, topicsFrom, topicsTo, kept } = request
  const count = new Writer()
  count.length(kept.length, isFlexible(api, version), 4)
  const cut = Buffer.concat([
    frame.subarray(0, topicsFrom),
    count.bytes(),
    ...kept.map(({ from, to }) => frame.subarray(from, to)),
    frame.subarray(topicsTo),
  ])
  cut.writeInt32BE(cut.length - 4, 0)
  return cut
}
