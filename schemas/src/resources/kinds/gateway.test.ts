import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from '../validate.ts'

const LISTENER = { name: 'http', port: 80, protocol: 'HTTP' }
const SECURE = {
  name: 'https',
  port: 443,
  protocol: 'HTTPS',
  tls: { certificateRefs: [{ name: 'shop-tls' }] },
}
const gateway = (listeners: readonly object[], spec: object = {}) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'shop' },
  spec: { gatewayClassName: 'weft', listeners, ...spec },
})
const faultsOf = (...given: Parameters<typeof gateway>): readonly string[] => {
  const result = validateResource(gateway(...given))
  return 'faults' in result ? result.faults.map(({ message }) => message) : []
}

test('a Gateway is completed as the Gateway API says', () => {
  const validation = { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'partners' }] }
  const result = validateResource(
    gateway([LISTENER, { ...SECURE, tls: { ...SECURE.tls, frontendValidation: validation } }]),
  )
  const allowedRoutes = { namespaces: { from: 'Same' } }
  assert.deepEqual('resource' in result && result.resource.spec, {
    gatewayClassName: 'weft',
    listeners: [
      { ...LISTENER, allowedRoutes },
      {
        ...SECURE,
        allowedRoutes,
        tls: {
          mode: 'Terminate',
          certificateRefs: [{ name: 'shop-tls' }],
          frontendValidation: { caCertificateRefs: [{ name: 'partners' }] },
        },
      },
    ],
    infrastructure: { annotations: {} },
  })
})

test('TLS goes with HTTPS, and HTTPS with a certificate', () => {
  assert.match(
    faultsOf([{ ...SECURE, protocol: 'HTTP' }])[0] ?? '',
    /tls: expected no tls with protocol HTTP/,
  )
  assert.match(
    faultsOf([{ ...LISTENER, protocol: 'HTTPS' }])[0] ?? '',
    /certificateRefs: expected a certificate/,
  )
  assert.match(faultsOf([{ ...LISTENER, protocol: 'TLS' }])[0] ?? '', /expected one of "HTTP", "HTTPS"/)
})

test('listeners are distinct: names, hosts of a port, and one protocol a port', () => {
  assert.deepEqual(
    faultsOf([
      { ...LISTENER, hostname: 'a.example' },
      { ...LISTENER, name: 'b', hostname: '*.example' },
    ]),
    [],
  )
  assert.match(
    faultsOf([LISTENER, { ...LISTENER, port: 81 }])[0] ?? '',
    /expected each name once, came "http" again/,
  )
  assert.match(faultsOf([LISTENER, { ...LISTENER, name: 'b' }])[0] ?? '', /expected each host of a port once/)
  assert.match(
    faultsOf([LISTENER, { ...SECURE, port: 80, hostname: 'a.example' }])[0] ?? '',
    /expected one protocol a port, came a second one on 80/,
  )
})

test('limits are annotations that are known, and numbers of bytes', () => {
  const annotated = (annotations: object) => faultsOf([LISTENER], { infrastructure: { annotations } })
  assert.deepEqual(annotated({ 'mesh.weft.dev/max-body-bytes': '1048576' }), [])
  assert.match(annotated({ 'mesh.weft.dev/max-body-bytes': '1MiB' })[0] ?? '', /expected a number of bytes/)
  assert.match(
    annotated({ 'mesh.weft.dev/max-bodybytes': '1' })[0] ?? '',
    /did you mean mesh\.weft\.dev\/max-body-bytes/,
  )
})

test('a certificate is a name, and leads nowhere else', () => {
  for (const name of ['../shop', 'a/b', '/etc', '.', ''])
    assert.notDeepEqual(faultsOf([{ ...SECURE, tls: { certificateRefs: [{ name }] } }]), [], name)
})
