import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from '../validate.ts'

const external = (spec: object) => ({
  apiVersion: 'mesh.weft.dev/v1',
  kind: 'ExternalService',
  metadata: { name: 'payments' },
  spec: { hosts: ['api.payments.example'], ...spec },
})
const faultsOf = (spec: object): readonly string[] => {
  const result = validateResource(external(spec))
  return 'faults' in result ? result.faults.map(({ message }) => message) : []
}

test('a host alone is plain HTTP on port 80, found by DNS', () => {
  const result = validateResource(external({}))
  assert.deepEqual('resource' in result && result.resource.spec, {
    hosts: ['api.payments.example'],
    ports: [{ port: 80, targetPort: 80, protocol: 'http' }],
    resolution: 'dns',
    endpoints: [],
  })
})

test('TLS begins at the sidecar where a port says so, with the authorities of the system where nothing else is said', () => {
  const result = validateResource(external({ ports: [{ targetPort: 443, tls: {} }] }))
  assert.deepEqual(
    'resource' in result && result.resource.kind === 'ExternalService' && result.resource.spec.ports,
    [{ port: 80, targetPort: 443, protocol: 'http', tls: {} }],
  )
})

test('hosts are names in lower case or addresses as they are usually written', () => {
  assert.deepEqual(faultsOf({ hosts: ['a.example', '203.0.113.7', '2001:db8::1', 'db'] }), [])
  for (const host of [
    'A.example',
    'http://a.example',
    'a.example:80',
    '*.example',
    '127.1',
    '0x7f.1',
    '1.2.3.4.5',
    '',
  ])
    assert.match(
      faultsOf({ hosts: [host] })[0] ?? '',
      /expected a host name in lower case, or an IP address/,
      host,
    )
})

test('endpoints go with the static resolution, and with no other', () => {
  assert.deepEqual(faultsOf({ resolution: 'static', endpoints: [{ address: '203.0.113.7' }] }), [])
  assert.match(faultsOf({ resolution: 'static' })[0] ?? '', /expected endpoints beside resolution static/)
  assert.match(
    faultsOf({ endpoints: [{ address: '203.0.113.7' }] })[0] ?? '',
    /endpoints only with resolution static/,
  )
  assert.match(
    faultsOf({ resolution: 'static', endpoints: [{ address: 'a.example' }] })[0] ?? '',
    /spec\.endpoints\[0\]\.address: expected an IP address/,
  )
})

test('each port is said once, and a client certificate has its key', () => {
  assert.match(faultsOf({ ports: [{}, { port: 80 }] })[0] ?? '', /expected each port once, came 80 again/)
  assert.match(
    faultsOf({ ports: [{ tls: { clientCertificate: { certificateFile: '/tls.crt' } } }] })[0] ?? '',
    /privateKeyFile: expected a value/,
  )
})

test('a port that is carried unread has no TLS of the sidecar', () => {
  const result = validateResource(external({ ports: [{ port: 5432, protocol: 'tcp', tls: {} }] }))
  assert.match(
    JSON.stringify(result),
    /tls only with protocol http, since what is carried unread is not touched/,
  )
})
