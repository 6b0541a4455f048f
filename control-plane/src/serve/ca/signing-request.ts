import 'reflect-metadata'
import { createPublicKey } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { MeshError } from '@weft/schemas/error'

/** A P-256 request of Weft's sidecars has about 150 bytes; parsing stays cheap for whoever sends something else. */
const MAX_REQUEST_BYTES = 4096

/**
 * The public key (SubjectPublicKeyInfo, DER) of a PKCS #10 request whose signature proves possession of the private
 * key. Everything else in it, the names above all, is ignored. Throws MeshError `invalid_request`.
 */
export async function publicKeyOfRequest(der: Uint8Array): Promise<Uint8Array> {
  if (der.length === 0 || der.length > MAX_REQUEST_BYTES)
    throw refused(`a PKCS #10 request of 1 to ${MAX_REQUEST_BYTES} bytes`, `${der.length} bytes`)
  try {
    const request = new x509.Pkcs10CertificateRequest(der)
    const publicKey = new Uint8Array(request.publicKey.rawData)
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    const { namedCurve = 'of another kind' } = key.asymmetricKeyDetails ?? {}
    if (namedCurve !== 'prime256v1') throw refused('an ECDSA key on P-256', `a key ${namedCurve}`)
    if (!(await request.verify())) throw refused('a request signed with its own key', 'another signature')
    return publicKey
  } catch (error) {
    if (error instanceof MeshError) throw error
    throw refused('a PKCS #10 request in DER', `what cannot be parsed as one`, error)
  }
}

const refused = (expected: string, came: string, cause?: unknown): MeshError =>
  new MeshError('invalid_request', `csr_der: expected ${expected}, came ${came}`, { cause })
