import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { create } from '@bufbuild/protobuf'
import { type ServiceError, status } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import { spiffeIdOf, type WorkloadIdentity } from '@weft/schemas/node/identity'
import { Certificates, SignRequestSchema, type SignResponse } from '@weft/schemas/proto'
import { controlPlaneClient } from './control-plane-client.ts'
import type { KeyPair } from './key-pair.ts'

export interface CertificateRequest {
  readonly controlPlane: string
  readonly trustDomain: string
  /** With the certificate in use to renew it; without one, and with a token, to join. */
  readonly context: SecureContext
  readonly joinToken?: string
  readonly keys: KeyPair
  readonly signal: AbortSignal
}

const { sign: SIGN } = grpcDefinition(Certificates)
const DEADLINE_MS = 10_000
/** More would be no chain of ours: roots sign leaves. */
const MAX_CHAIN = 4
const MAX_ROOTS = 16
/** The control plane has judged, and will judge the same again. */
const FINAL: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
])

/** One certificate for the key, or MeshError `unauthenticated` where the control plane refuses, `unavailable` otherwise. */
export async function requestCertificate(request: CertificateRequest): Promise<WorkloadIdentity> {
  return accept(await callSign(request), request)
}

function callSign(request: CertificateRequest): Promise<SignResponse> {
  const { controlPlane, trustDomain, context, keys, joinToken = '', signal } = request
  const client = controlPlaneClient(controlPlane, context, trustDomain)
  const message = create(SignRequestSchema, { csrDer: keys.signingRequest, joinToken })
  const options = { deadline: Date.now() + DEADLINE_MS }
  return new Promise<SignResponse>((resolve, reject) => {
    const call = client.makeUnaryRequest(
      SIGN.path,
      SIGN.requestSerialize,
      SIGN.responseDeserialize,
      message,
      options,
      (error, response) => {
        signal.removeEventListener('abort', stop)
        if (response === undefined || error !== null) reject(refusalOf(error, controlPlane))
        else resolve(response)
      },
    )
    const stop = () => call.cancel()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  }).finally(() => client.close())
}

function refusalOf(error: ServiceError | null, controlPlane: string): MeshError {
  if (error !== null && FINAL.has(error.code))
    return new MeshError('unauthenticated', `the control plane at ${controlPlane} refused: ${error.details}`)
  return new MeshError('unavailable', error?.details ?? 'no answer', { cause: error })
}

/** What came, checked as if anybody had sent it: an identity that peers would refuse must not replace a good one. */
function accept(response: SignResponse, { keys, trustDomain }: CertificateRequest): WorkloadIdentity {
  const { certificateChainDer, trustBundleDer } = response
  if (certificateChainDer.length > MAX_CHAIN || trustBundleDer.length > MAX_ROOTS)
    throw unusable('it has more certificates than a chain and a bundle can have')
  let chain: X509Certificate[]
  let roots: X509Certificate[]
  try {
    chain = certificateChainDer.map((der) => new X509Certificate(der))
    roots = trustBundleDer.map((der) => new X509Certificate(der))
  } catch (error) {
    throw unusable('it holds what is no certificate', error)
  }
  const [leaf] = chain
  if (leaf === undefined || !leaf.checkPrivateKey(createPrivateKey(keys.privateKeyPem)))
    throw unusable('it is not for the key of this sidecar')
  const last = chain.at(-1) ?? leaf
  if (!roots.some((root) => last.checkIssued(root) && last.verify(root.publicKey)))
    throw unusable('it is not signed by a root of the bundle that came with it')
  const spiffeId = spiffeIdOf(leaf)
  if (spiffeId?.trustDomain !== trustDomain) throw unusable(`it names nobody of trust domain ${trustDomain}`)
  const now = Date.now()
  if (leaf.validFromDate.getTime() > now || leaf.validToDate.getTime() <= now)
    throw unusable(`it is valid from ${leaf.validFrom} to ${leaf.validTo}: are the clocks right?`)
  return {
    spiffeId,
    certificateChainPem: chain.map(String).join(''),
    privateKeyPem: keys.privateKeyPem,
    trustBundlePem: roots.map(String).join(''),
    expiresAt: leaf.validToDate,
  }
}

const unusable = (why: string, cause?: unknown): MeshError =>
  new MeshError('unavailable', `the certificate that came cannot be used: ${why}`, { cause })
