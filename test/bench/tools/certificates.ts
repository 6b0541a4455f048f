/** A throw-away certificate authority and a certificate for each side of a peer's mTLS hop. */
import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const DAYS = ['-days', '2']

/** A folder with `ca.crt` and `.crt`, `.key` of `in` and `out`, the same kind of key as a workload of the mesh has. */
export async function peerCertificates(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-pki-'))
  const openssl = (...words: readonly string[]) => run('openssl', [...words], { cwd: folder })
  await openssl('req', '-x509', ...NEW_KEY, ...DAYS, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt')
  for (const side of ['in', 'out']) {
    const name = `${side}.bench.local`
    await openssl('req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', `${side}.key`, '-out', `${side}.csr`)
    const extensions = `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth,clientAuth\n`
    await writeFile(join(folder, `${side}.ext`), extensions)
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
    await openssl(
      ...['x509', '-req', '-in', `${side}.csr`, ...authority, ...DAYS],
      ...['-extfile', `${side}.ext`, '-out', `${side}.crt`],
    )
  }
  return folder
}
