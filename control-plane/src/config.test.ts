import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@weft/schemas/node/config'
import { readControlPlaneConfig } from './config.ts'

test('only the state folder has to be said', () => {
  const config = readControlPlaneConfig({ WEFT_STATE_DIR: '/state' })
  assert.deepEqual(
    [
      config.grpcHost,
      config.grpcPort,
      config.httpHost,
      config.httpPort,
      config.trustDomain,
      config.resourceFolders,
    ],
    ['127.0.0.1', 15_012, '127.0.0.1', 15_014, 'weft.local', []],
  )
})

test('several folders are separated by colons', () => {
  assert.deepEqual(
    readControlPlaneConfig({ WEFT_STATE_DIR: '/s', WEFT_RESOURCES: '/a:/b' }).resourceFolders,
    ['/a', '/b'],
  )
})

test('every fault is told at once', () => {
  assert.throws(
    () =>
      readControlPlaneConfig({
        WEFT_GRPC_PORT: '70000',
        WEFT_TRUST_DOMAIN: 'Not One',
        WEFT_DRAIN_MS: 'soon',
      }),
    (error) =>
      error instanceof ConfigError &&
      ['WEFT_STATE_DIR', 'WEFT_GRPC_PORT', 'WEFT_TRUST_DOMAIN', 'WEFT_DRAIN_MS'].every((name) =>
        error.message.includes(name),
      ),
  )
})
