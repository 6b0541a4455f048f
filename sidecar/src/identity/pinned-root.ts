import { createHash, type X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import { isControlPlane } from './control-plane-client.ts'

export interface PinnedRoot {
  readonly certificate: X509Certificate
  readonly pem: string
  readonly trustDomain: string
}

export interface PinOptions {
  /** `host:port`, IPv6 hosts in brackets. */
  readonly controlPlane: string
  readonly rootHash: string
  readonly signal: AbortSignal
}

const HANDSHAKE_TIMEOUT_MS = 5_000

/**
 * Asks the control plane for its root by a handshake in which nothing is told, and takes it only if it is the one that
 * the join token names and the peer proves to be the control plane under it. MeshError `peer_identity` where somebody else
 * answers; any other error is of the network and worth another try.
 */
export async function fetchPinnedRoot(options: PinOptions): Promise<PinnedRoot> {
  const leaf = await peerCertificate(options)
  const root = leaf.issuerCertificate
  const hash = root === undefined ? undefined : createHash('sha256').update(root.raw).digest('base64url')
  if (root === undefined || hash !== options.rootHash)
    throw stranger(options, 'it shows another root than the one that the join token was made with')
  if (!root.ca || !root.verify(root.publicKey) || !leaf.checkIssued(root) || !leaf.verify(root.publicKey))
    throw stranger(options, 'its certificate is not signed by the root that it shows')
  const trustDomain = spiffeIdOf(leaf)?.trustDomain
  if (trustDomain === undefined || !isControlPlane(leaf, trustDomain))
    throw stranger(options, `its certificate names ${leaf.subjectAltName ?? 'nobody'}, not a control plane`)
  return { certificate: root, pem: root.toString(), trustDomain }
}

const stranger = ({ controlPlane }: PinOptions, why: string): MeshError =>
  new MeshError(
    'peer_identity',
    `what answers at ${controlPlane} is not the control plane that made the join token: ${why}. ` +
      'Check the address; or make a new token with POST /api/v1/join-tokens of that control plane',
  )

/** The certificate of whoever answers, its issuer attached, after a handshake that proved possession of its key. */
function peerCertificate({ controlPlane, signal }: PinOptions): Promise<X509Certificate> {
  const colon = controlPlane.lastIndexOf(':')
  const host = controlPlane.slice(0, colon).replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(controlPlane.slice(colon + 1)),
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      // Judged by the caller: who joins knows no root yet, only the hash of one.
      rejectUnauthorized: false,
      // None: without the list Node would read all public roots into memory, to keep them there.
      ca: [],
    })
    const stop = () => socket.destroy(new Error('stopped'))
    signal.addEventListener('abort', stop, { once: true })
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () =>
      socket.destroy(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT_MS} ms`)),
    )
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined) reject(new Error('the peer showed no certificate'))
      else resolve(certificate)
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => {
      signal.removeEventListener('abort', stop)
      reject(new Error('the connection closed during the TLS handshake'))
    })
  })
}
