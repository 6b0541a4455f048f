/** What TLS to an external service is made with. Files are looked at for each new connection, so that a renewal needs no restart. */
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { OriginateTls } from '@weft/schemas/snapshot'

/** Some servers outside have not heard of TLS 1.3 yet; below 1.2 nothing is safe (RFC 8996). */
const MIN_VERSION = 'TLSv1.2'

/** Gives the context of this moment. Throws an Error where a file cannot be read or holds something else. */
export function externalContext({ ca, clientCertificate }: OriginateTls): () => SecureContext {
  const caFile = ca !== undefined && 'file' in ca ? ca.file : undefined
  const { certificateFile, privateKeyFile } = clientCertificate ?? {}
  const files = [caFile, certificateFile, privateKeyFile].filter((file) => file !== undefined)
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file)
  let context: SecureContext | undefined
  let madeOf = ''
  return () => {
    // Blocks for microseconds, and only where a connection is made.
    const stamp = files.map((file) => statSync(file).mtimeMs).join(' ')
    if (context === undefined || stamp !== madeOf) {
      context = createSecureContext({
        ca: ca === undefined ? [...rootCertificates] : 'inline' in ca ? ca.inline : read(caFile),
        cert: read(certificateFile),
        key: read(privateKeyFile),
        minVersion: MIN_VERSION,
      })
      madeOf = stamp
    }
    return context
  }
}
