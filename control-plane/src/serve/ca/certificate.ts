import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { SpiffeId } from '@weft/schemas/spiffe'
import type { Root } from './root.ts'

export const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
export const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** The clocks of two hosts differ; a certificate that is valid from now on would be refused by the one behind. */
const BACKDATE_MS = 60_000
const SERIAL_BYTES = 16

export interface LeafRequest {
  readonly spiffeId: SpiffeId
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Host names and IP addresses beside the SPIFFE id, for clients that verify those: Kafka's, browsers. */
  readonly dnsNames?: readonly string[]
  readonly ttlSeconds: number
}

/** Signs an X.509-SVID: one URI SAN, the same name in the subject, for both ends of TLS, no CA. */
export async function signLeaf(root: Root, request: LeafRequest): Promise<x509.X509Certificate> {
  const { trustDomain, namespace, serviceAccount, uri } = request.spiffeId
  const publicKey = new x509.PublicKey(request.publicKey)
  const now = Date.now()
  const end = Math.min(now + request.ttlSeconds * 1000, root.certificate.notAfter.getTime())
  return await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    // Most significant first, as names are encoded: RFC 2253 and Kafka print it as CN=…,OU=…,O=….
    subject: [{ O: [trustDomain] }, { OU: [namespace] }, { CN: [serviceAccount] }],
    issuer: root.certificate.subjectName,
    notBefore: withBackdate(now),
    // X.509 knows whole seconds: what is promised must not be later than what is written.
    notAfter: new Date(Math.floor(end / 1000) * 1000),
    publicKey,
    signingKey: root.signingKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.certificate.publicKey),
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: uri },
        ...(request.dnsNames ?? []).map((name) => ({
          type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const),
          value: name,
        })),
      ]),
    ],
  })
}

export const withBackdate = (nowMs: number): Date => new Date(nowMs - BACKDATE_MS)

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets; 126 of these 128 bits are random. */
export function newSerialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES)
  // Top bit off: positive. Next one on: the same length always, without a leading zero.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
