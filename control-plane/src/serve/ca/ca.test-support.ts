import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Log } from '@weft/schemas/node/log'
import { type CertificateAuthority, openCertificateAuthority } from './authority.ts'

export const TRUST_DOMAIN = 'weft.local'

/** A log that says nothing. */
export function quietLog(): Log {
  const log = createLog('test')
  log.level = 'silent'
  return log
}

/** A folder of its own that is gone when the scope ends. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'weft-ca-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export const openAuthority = (
  stateDir: string,
  trustDomain: string = TRUST_DOMAIN,
): Promise<CertificateAuthority> => openCertificateAuthority({ stateDir, trustDomain, log: quietLog() })

/** A new public key as SubjectPublicKeyInfo, DER. */
export const newPublicKey = (namedCurve = 'prime256v1'): Uint8Array =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'der' })
