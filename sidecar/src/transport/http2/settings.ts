/** SETTINGS (RFC 9113, section 6.5): what we say first, and what others may say. */
import type { FrameOutput } from './frame-output.ts'
import { CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES } from './limits.ts'
import {
  ConnectionError,
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR_CODE,
  FRAME,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  PREFACE,
  SETTING,
} from './protocol.ts'

type Settings = readonly (readonly [id: number, value: number])[]

const SETTING_BYTES = 6

/** The first bytes of a client. */
export function writeClientStart(output: FrameOutput, settings: Settings): void {
  output.reserve(PREFACE.length)
  output.bytes(PREFACE, 0, PREFACE.length)
  writeStart(output, settings)
}

/** The settings of one role, those that both have, and the window of the connection. */
export function writeStart(output: FrameOutput, settings: Settings): void {
  const all: Settings = [...settings, [SETTING.initialWindowSize, STREAM_WINDOW_BYTES]]
  output.frameHead(all.length * SETTING_BYTES, FRAME.settings, 0, 0)
  for (const [id, value] of all) {
    output.at = output.buffer.writeUInt16BE(id, output.at)
    output.at = output.buffer.writeUInt32BE(value, output.at)
  }
  output.number(FRAME.windowUpdate, 0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES)
}

/** Throws ConnectionError for values out of range; ids that nobody knows are passed over. */
export function checkSetting(id: number, value: number): void {
  if (id === SETTING.enablePush && value > 1)
    throw new ConnectionError(ERROR_CODE.protocol, 'expected ENABLE_PUSH of 0 or 1')
  if (id === SETTING.enableConnectProtocol && value > 1)
    throw new ConnectionError(ERROR_CODE.protocol, 'expected ENABLE_CONNECT_PROTOCOL of 0 or 1')
  if (id === SETTING.initialWindowSize && value > MAX_WINDOW_BYTES)
    throw new ConnectionError(ERROR_CODE.flowControl, 'expected INITIAL_WINDOW_SIZE within its range')
  if (id === SETTING.maxFrameSize && (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES))
    throw new ConnectionError(ERROR_CODE.protocol, 'expected MAX_FRAME_SIZE within its range')
}
