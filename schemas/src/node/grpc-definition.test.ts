import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Certificates, ConfigStream, SignRequestSchema } from '../proto/index.ts'
import { grpcDefinition } from './grpc-definition.ts'

test('a method has its path, its kind, and codecs that go round', () => {
  const { sign } = grpcDefinition(Certificates)
  assert.equal(sign.path, '/weft.identity.v1.Certificates/Sign')
  assert.deepEqual([sign.requestStream, sign.responseStream], [false, false])
  const bytes = sign.requestSerialize(create(SignRequestSchema, { joinToken: 'x' }))
  assert.deepEqual(bytes, Buffer.from([0x12, 1, 0x78]))
  assert.equal(sign.requestDeserialize(bytes).joinToken, 'x')
})

test('a method that streams both ways says so', () => {
  const { stream } = grpcDefinition(ConfigStream)
  assert.deepEqual([stream.requestStream, stream.responseStream], [true, true])
})

test('bytes that are no message are an error, not a message', () => {
  const { sign } = grpcDefinition(Certificates)
  assert.throws(() => sign.requestDeserialize(new Uint8Array([0x0a, 0xff, 0xff])))
})
