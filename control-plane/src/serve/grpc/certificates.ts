import { create } from '@bufbuild/protobuf'
import type { handleUnaryCall } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import { type SignRequest, type SignResponse, SignResponseSchema } from '@weft/schemas/proto'
import type { SpiffeId } from '@weft/schemas/spiffe'
import { type CertificateAuthority, type JoinTokens, publicKeyOfRequest } from '../ca/index.ts'
import { type Peer, peerOf } from './peer.ts'
import { toStatus } from './status.ts'

export interface CertificatesOptions {
  readonly authority: CertificateAuthority
  readonly tokens: JoinTokens
  readonly ttlSeconds: number
  readonly log: Log
}

type Reply = (...call: Parameters<handleUnaryCall<SignRequest, SignResponse>>) => Promise<void>

/** Each costs two signatures' time and one write to the disk: beyond this many, callers are asked to come back. */
const MAX_SIGNING_AT_ONCE = 64

/** The handler of `Certificates.Sign`: a token joins, a certificate renews, and never as somebody else. */
export function signHandler(options: CertificatesOptions): handleUnaryCall<SignRequest, SignResponse> {
  const { authority, log } = options
  let signing = 0

  async function sign(request: SignRequest, peer: Peer | undefined): Promise<SignResponse> {
    checkProof(request, peer)
    const publicKey = await publicKeyOfRequest(request.csrDer)
    const identity = peer?.identity ?? (await join(request.joinToken, publicKey))
    const issued = await authority.issue({ spiffeId: identity, publicKey, ttlSeconds: options.ttlSeconds })
    log.info(
      {
        identity: identity.uri,
        expiresAt: issued.expiresAt,
        by: peer === undefined ? 'join token' : 'renewal',
      },
      'certificate issued',
    )
    return create(SignResponseSchema, {
      certificateChainDer: [...issued.certificateChainDer],
      trustBundleDer: [authority.rootDer],
      expiresAtUnixMs: BigInt(issued.expiresAt.getTime()),
    })
  }

  async function join(token: string, publicKey: Uint8Array): Promise<SpiffeId> {
    const redemption = await options.tokens.redeem(token, publicKey)
    if ('identity' in redemption) return redemption.identity
    log.warn({ reason: redemption.refused }, 'join refused')
    throw new MeshError('unauthenticated', redemption.refused)
  }

  async function answer(request: SignRequest, peer: Peer | undefined): Promise<SignResponse> {
    if (signing >= MAX_SIGNING_AT_ONCE)
      throw new MeshError('overloaded', 'too many certificates are being signed: try again')
    signing++
    try {
      return await sign(request, peer)
    } finally {
      signing--
    }
  }

  const reply: Reply = async (call, callback) => {
    let response: SignResponse
    try {
      response = await answer(call.request, peerOf(call))
    } catch (error) {
      callback(toStatus(error, log))
      return
    }
    callback(null, response)
  }
  return (call, callback) => void reply(call, callback)
}

/** Exactly one proof: with two it would be open which of them names the caller. */
function checkProof(request: SignRequest, peer: Peer | undefined): void {
  if (peer !== undefined && request.joinToken !== '')
    throw new MeshError(
      'invalid_request',
      `send a join token without a certificate to join, or renew as ${peer.identity.uri} with its certificate and no token`,
    )
  if (peer === undefined && request.joinToken === '')
    throw new MeshError(
      'unauthenticated',
      'send a join token, or call with the certificate that is to be renewed',
    )
}
