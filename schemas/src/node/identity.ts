/**
 * The identity of a workload at run time: key, certificate and trust bundle in memory, and the TLS
 * options that follow from them. Who fetches and renews it is sidecar/src/identity.
 */
import type { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { parseSpiffeId, type SpiffeId } from '../spiffe.ts'

export interface WorkloadIdentity {
  readonly spiffeId: SpiffeId
  /** Leaf first, then intermediates. */
  readonly certificateChainPem: string
  readonly privateKeyPem: string
  /** Roots of the own trust domain; several while a root is being rotated. */
  readonly trustBundlePem: string
  readonly expiresAt: Date
}

/** Holder of the current identity; `onRotate` runs after each renewal and returns the function that ends it. */
export interface IdentitySource {
  current(): WorkloadIdentity
  onRotate(listener: (now: WorkloadIdentity) => void): () => void
}

const contexts = new WeakMap<WorkloadIdentity, SecureContext>()

/** One SecureContext per identity: building one costs a millisecond, a handshake must not. TLS 1.3 only. */
export function secureContext(identity: WorkloadIdentity): SecureContext {
  let context = contexts.get(identity)
  if (context === undefined) {
    context = createSecureContext({
      cert: identity.certificateChainPem,
      key: identity.privateKeyPem,
      ca: identity.trustBundlePem,
      minVersion: 'TLSv1.3',
    })
    contexts.set(identity, context)
  }
  return context
}

/**
 * The SPIFFE id that the peer proved, from the one URI SAN of its certificate (X.509-SVID, section 2: exactly
 * one URI). Undefined without a certificate, with several URIs, or with one that is not a SPIFFE id of ours.
 * Only meaningful on a socket that is `authorized`.
 */
export function peerSpiffeId(socket: TLSSocket): SpiffeId | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : spiffeIdOf(certificate)
}

/** The SPIFFE id in a certificate, or undefined. */
export function spiffeIdOf(certificate: X509Certificate): SpiffeId | undefined {
  const names = certificate.subjectAltName?.split(', ').filter((name) => name.startsWith('URI:')) ?? []
  const [only, ...others] = names
  return only === undefined || others.length > 0 ? undefined : parseSpiffeId(only.slice('URI:'.length))
}
