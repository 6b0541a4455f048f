import 'reflect-metadata'
import { createPrivateKey, type KeyObject, type webcrypto, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import type { Log } from '@weft/schemas/node/log'
import { ECDSA_P256, newSerialNumber, SIGNING, withBackdate } from './certificate.ts'
import { createDurably, openSecretFolder } from './durable-file.ts'

/** The root of a trust domain: who holds its key is every identity of the mesh. */
export interface Root {
  readonly certificate: x509.X509Certificate
  readonly signingKey: webcrypto.CryptoKey
  readonly pem: string
  readonly der: Uint8Array
}

/** Ten years: the root is pinned by join tokens and trusted by brokers; replacing it is an operation of its own. */
const LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000
/** Key and certificate stand in one file, so that no crash can leave one without the other. */
const FILE = 'root.pem'
const READABLE_BY_OTHERS = 0o077

export interface RootOptions {
  readonly stateDir: string
  readonly trustDomain: string
  readonly log: Log
}

/** Reads `<stateDir>/ca/root.pem`, or makes it if nothing was there before. Throws where it is not whole. */
export async function openRoot(options: RootOptions): Promise<Root> {
  const folder = join(options.stateDir, 'ca')
  const path = join(folder, FILE)
  const names = await openSecretFolder(folder)
  if (!names.includes(FILE)) {
    if (names.length > 0)
      throw new Error(unusable(path, `it is missing, but ${names.join(', ')} of an earlier root is there`))
    if (await createDurably(path, await generate(options.trustDomain)))
      options.log.info({ path, trustDomain: options.trustDomain }, 'made the root of the trust domain')
  }
  return await read(path, options)
}

async function generate(trustDomain: string): Promise<string> {
  const keys = await crypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: [{ O: [trustDomain] }, { CN: ['Weft root'] }],
    notBefore: withBackdate(now),
    notAfter: new Date(now + LIFETIME_MS),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n${certificate.toString('pem')}\n`
}

async function read(path: string, { trustDomain, log }: RootOptions): Promise<Root> {
  const text = await readFile(path, 'utf8')
  if (((await stat(path)).mode & READABLE_BY_OTHERS) !== 0)
    log.warn({ path }, 'other users can read the key of the root: chmod 600 it')
  const key = onlyBlock(path, text, 'PRIVATE KEY')
  const certificate = onlyBlock(path, text, 'CERTIFICATE')
  let privateKey: KeyObject
  let parsed: X509Certificate
  try {
    privateKey = createPrivateKey(key)
    parsed = new X509Certificate(certificate)
  } catch (error) {
    throw new Error(unusable(path, `it cannot be read as key and certificate (${String(error)})`), {
      cause: error,
    })
  }
  const fault = faultOf(parsed, privateKey, trustDomain)
  if (fault !== undefined) throw new Error(unusable(path, fault))
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  return {
    certificate: new x509.X509Certificate(parsed.raw),
    // Not extractable: no code path of this process can write it out again.
    signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, ECDSA_P256, false, ['sign']),
    pem: `${certificate}\n`,
    der: parsed.raw,
  }
}

function onlyBlock(path: string, text: string, label: string): string {
  const found = text.match(
    new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`, 'g'),
  )
  const [only] = found ?? []
  if (only === undefined || found?.length !== 1)
    throw new Error(unusable(path, `it holds ${found?.length ?? 0} whole blocks "${label}" instead of one`))
  return only
}

function faultOf(certificate: X509Certificate, key: KeyObject, trustDomain: string): string | undefined {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'its key is not ECDSA P-256'
  if (!certificate.checkPrivateKey(key)) return 'its key is not that of its certificate'
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) return 'its certificate is no root'
  if (certificate.subjectAltName !== `URI:spiffe://${trustDomain}`)
    return `it is the root of ${certificate.subjectAltName ?? 'nothing'}, not of trust domain ${trustDomain} (WEFT_TRUST_DOMAIN)`
  if (certificate.validToDate.getTime() <= Date.now()) return `it ended on ${certificate.validTo}`
  return undefined
}

const unusable = (path: string, why: string): string =>
  `the root certificate ${path} cannot be used: ${why}. Restore the file from a backup; or, to begin again with a new ` +
  'root, move the folder away: every sidecar and every broker then needs a new certificate'
