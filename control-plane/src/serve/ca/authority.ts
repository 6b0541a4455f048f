import { generateKeyPairSync } from 'node:crypto'
import { MeshError } from '@weft/schemas/error'
import { type SpiffeId, spiffeId } from '@weft/schemas/spiffe'
import { type LeafRequest, signLeaf } from './certificate.ts'
import { openRoot, type RootOptions } from './root.ts'

/** A certificate for a key that stayed with whoever asked. */
interface IssuedCertificate {
  /** Leaf first; the root is not part of it. */
  readonly certificateChainPem: string
  readonly certificateChainDer: readonly Uint8Array[]
  readonly expiresAt: Date
}

/** A certificate with its key, for a process that cannot make its own request. */
export interface IssuedKeyPair {
  readonly certificatePem: string
  /** PKCS #8, not encrypted. */
  readonly privateKeyPem: string
  readonly trustBundlePem: string
  readonly expiresAt: Date
}

/** Issues the identities of one trust domain. The key of the root never leaves it. */
export interface CertificateAuthority {
  readonly trustDomain: string
  readonly rootPem: string
  readonly rootDer: Uint8Array
  /** Signs for a public key. Throws a RangeError for a name outside the trust domain. Never beyond the root's own end. */
  issue(request: LeafRequest): Promise<IssuedCertificate>
  /** Makes an ECDSA P-256 key and signs for it. */
  issueWithKey(request: Omit<LeafRequest, 'publicKey'>): Promise<IssuedKeyPair>
}

/** Opens the authority of `<stateDir>/ca`; the first start makes its root, each later one must find it whole, or this throws. */
export async function openCertificateAuthority(options: RootOptions): Promise<CertificateAuthority> {
  const root = await openRoot(options)

  async function issue(request: LeafRequest): Promise<IssuedCertificate> {
    if (request.spiffeId.trustDomain !== options.trustDomain)
      throw new RangeError(`${request.spiffeId.uri} is not in trust domain ${options.trustDomain}`)
    const certificate = await signLeaf(root, request)
    return {
      certificateChainPem: `${certificate.toString('pem')}\n`,
      certificateChainDer: [new Uint8Array(certificate.rawData)],
      expiresAt: certificate.notAfter,
    }
  }

  async function issueWithKey(request: Omit<LeafRequest, 'publicKey'>): Promise<IssuedKeyPair> {
    const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' })
    const { certificateChainPem, expiresAt } = await issue({ ...request, publicKey })
    return {
      certificatePem: certificateChainPem,
      privateKeyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      trustBundlePem: root.pem,
      expiresAt,
    }
  }

  return { trustDomain: options.trustDomain, rootPem: root.pem, rootDer: root.der, issue, issueWithKey }
}

/** The name by which sidecars know their control plane. */
export const controlPlaneId = (trustDomain: string): SpiffeId =>
  spiffeId(trustDomain, 'weft-system', 'control-plane')

/**
 * The id of a workload or broker that somebody asks a certificate or a token for. Throws MeshError `invalid_resource`
 * for what is no name, and for the control plane's own: whoever has it can be the control plane of every sidecar.
 */
export function grantableId(trustDomain: string, namespace: string, serviceAccount: string): SpiffeId {
  let id: SpiffeId
  try {
    id = spiffeId(trustDomain, namespace, serviceAccount)
  } catch (error) {
    throw new MeshError('invalid_resource', error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  }
  if (id.uri === controlPlaneId(trustDomain).uri)
    throw new MeshError('invalid_resource', `${id.uri} is the control plane itself: choose another name`)
  return id
}
