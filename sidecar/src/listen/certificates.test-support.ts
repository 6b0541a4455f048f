/** A certificate authority for tests: real certificates, made in memory. */
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { IdentitySource, WorkloadIdentity } from '@weft/schemas/node/identity'
import { spiffeId } from '@weft/schemas/spiffe'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000

interface IssueOptions {
  /** Default: weft.local. */
  readonly trustDomain?: string
  /** Default: an hour. */
  readonly ttlMs?: number
  /** Host names beside the identity, as servers outside of the mesh have them. Default: none. */
  readonly dnsNames?: readonly string[]
}

export interface TestAuthority {
  readonly rootPem: string
  issue(serviceAccount: string, options?: IssueOptions): Promise<WorkloadIdentity>
}

export async function createAuthority(): Promise<TestAuthority> {
  const keys = await newKeys()
  const root = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=root',
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + HOUR_MS),
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const rootPem = root.toString('pem')
  return {
    rootPem,
    async issue(serviceAccount, { trustDomain = 'weft.local', ttlMs = HOUR_MS, dnsNames = [] } = {}) {
      const id = spiffeId(trustDomain, 'default', serviceAccount)
      const leafKeys = await newKeys()
      const leaf = await issueLeaf({ root, rootKeys: keys, leafKeys, uri: id.uri, ttlMs, dnsNames })
      return {
        spiffeId: id,
        certificateChainPem: leaf.toString('pem'),
        privateKeyPem: await privateKeyPem(leafKeys),
        trustBundlePem: rootPem,
        expiresAt: leaf.notAfter,
      }
    },
  }
}

/** An identity that a test can rotate. */
export class TestIdentity implements IdentitySource {
  #now: WorkloadIdentity
  readonly #listeners = new Set<(now: WorkloadIdentity) => void>()

  constructor(identity: WorkloadIdentity) {
    this.#now = identity
  }

  current(): WorkloadIdentity {
    return this.#now
  }

  onRotate(listener: (now: WorkloadIdentity) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  rotate(identity: WorkloadIdentity): void {
    this.#now = identity
    for (const listener of this.#listeners) listener(identity)
  }
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

interface Leaf {
  readonly root: X509Certificate
  readonly rootKeys: webcrypto.CryptoKeyPair
  readonly leafKeys: webcrypto.CryptoKeyPair
  readonly uri: string
  readonly ttlMs: number
  readonly dnsNames: readonly string[]
}

function issueLeaf({ root, rootKeys, leafKeys, uri, ttlMs, dnsNames }: Leaf): Promise<X509Certificate> {
  return X509CertificateGenerator.create({
    subject: 'CN=leaf',
    issuer: root.subject,
    publicKey: leafKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + ttlMs),
    extensions: [
      new SubjectAlternativeNameExtension(
        [{ type: 'url', value: uri }, ...dnsNames.map((value) => ({ type: 'dns', value }) as const)],
        true,
      ),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
    ],
  })
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`
}
