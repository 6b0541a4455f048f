/**
 * The certificates of a gateway: a folder for each, in the layout of a mounted Kubernetes secret, so that the same Gateway resource
 * means the same in both worlds and no private key ever travels with the configuration.
 */
import { constants } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { GatewayTls } from '@weft/schemas/snapshot'

/** What was made of files, and of which. Both forms: Node wants options for a server, and contexts for its names. */
interface Made {
  readonly stamp: string
  readonly options: SecureContextOptions
  readonly context: SecureContext
}

export class GatewayCertificates {
  readonly #folder: string | undefined
  readonly #onFault: (reason: string) => void
  readonly #made = new Map<string, Made>()
  readonly #faults = new Map<string, string>()

  /** `onFault` is called when a certificate cannot be used, once for each reason. */
  constructor(folder: string | undefined, onFault: (reason: string) => void) {
    this.#folder = folder
    this.#onFault = onFault
  }

  /** Those of this moment; undefined where the files are not there, or hold something else. Looks at their times, and reads what is newer. */
  current(tls: GatewayTls): Made | undefined {
    const key = JSON.stringify(tls)
    try {
      const made = this.#make(tls, key)
      this.#faults.delete(key)
      return made
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (this.#faults.get(key) !== reason) this.#onFault(reason)
      this.#faults.set(key, reason)
      return undefined
    }
  }

  #make(tls: GatewayTls, key: string): Made {
    const folder = this.#folder
    if (folder === undefined)
      throw new Error('expected the folder of certificates in WEFT_GATEWAY_CERTIFICATES')
    const names = filesOf(folder, tls)
    const stamp = [...names.certificates, ...names.keys, ...names.authorities]
      .map((file) => statSync(file).mtimeMs)
      .join(' ')
    const known = this.#made.get(key)
    if (known?.stamp === stamp) return known
    const options = read(names)
    const made = { stamp, options, context: createSecureContext(options) }
    this.#made.set(key, made)
    return made
  }
}

interface Files {
  readonly certificates: readonly string[]
  readonly keys: readonly string[]
  readonly authorities: readonly string[]
}

const filesOf = (folder: string, { certificates, clientAuthorities = [] }: GatewayTls): Files => ({
  certificates: certificates.map((name) => join(folder, name, 'tls.crt')),
  keys: certificates.map((name) => join(folder, name, 'tls.key')),
  authorities: clientAuthorities.map((name) => join(folder, name, 'ca.crt')),
})

function read({ certificates, keys, authorities }: Files): SecureContextOptions {
  const contents = (files: readonly string[]) => files.map((file) => readFileSync(file))
  return {
    cert: contents(certificates),
    key: contents(keys),
    // Never the authorities of the system: a certificate of any public one would be a caller that proved itself.
    ca: contents(authorities),
    // Browsers have known it since 2014; below it nothing is safe (RFC 8996).
    minVersion: 'TLSv1.2',
    // A resumed session would bring back a caller's certificate that may have expired.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}
