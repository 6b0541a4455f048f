import { isIP } from 'node:net'
import { type ConnectionOptions, rootCertificates } from 'node:tls'
import { Admin, type BaseOptions } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { type CertificateAuthority, controlPlaneId } from '../serve/ca/index.ts'

export interface KafkaAdminOptions {
  /** The cluster of the Mesh resource right now. */
  readonly cluster: () => KafkaCluster | undefined
  readonly authority: Pick<CertificateAuthority, 'trustDomain' | 'rootPem' | 'issueWithKey'>
  readonly log: Log
}

/** The control plane's one connection to the Kafka cluster of the Mesh resource. */
export interface KafkaAdmin {
  /** Follows changes of the Mesh resource and renews its certificate; undefined while there is no cluster. Connects on first use. */
  current(): Promise<Admin | undefined>
  /** For another client of the same cluster, with a certificate of its own; undefined while there is no cluster. Whoever makes one closes it. */
  connection(): Promise<BaseOptions | undefined>
  close(): Promise<void>
}

/** As every certificate of the mesh. */
const CERTIFICATE_TTL_SECONDS = 3600
const CONNECT_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000

interface Connection {
  readonly admin: Admin
  readonly madeFor: string
  /** After it a new one is made, with a new certificate: at half-life, as in a sidecar. */
  readonly staleAtMs: number
}

export function createKafkaAdmin(options: KafkaAdminOptions): KafkaAdmin {
  let connection: Promise<Connection> | undefined
  let closed = false

  async function close(old: Promise<Connection> | undefined): Promise<void> {
    try {
      await (await old)?.admin.close()
    } catch (error) {
      options.log.debug({ error }, 'closing the connection to the broker failed')
    }
  }

  async function current(): Promise<Admin | undefined> {
    const cluster = options.cluster()
    const old = connection
    const known = await old?.catch(() => undefined)
    // While this waited another caller may have replaced it: then that one is current.
    if (connection !== old) return await current()
    if (cluster === undefined || closed) {
      connection = undefined
      await close(old)
      return undefined
    }
    const madeFor = JSON.stringify(cluster)
    if (known !== undefined && known.madeFor === madeFor && Date.now() < known.staleAtMs) return known.admin
    connection = connectionOptions(cluster, options.authority).then((made) => ({
      admin: new Admin(made),
      madeFor,
      staleAtMs: Date.now() + (CERTIFICATE_TTL_SECONDS * 1000) / 2,
    }))
    void close(old)
    return (await connection).admin
  }

  return {
    current,
    async connection() {
      const cluster = options.cluster()
      return cluster && (await connectionOptions(cluster, options.authority))
    },
    close: async () => {
      closed = true
      await current()
    },
  }
}

async function connectionOptions(
  cluster: KafkaCluster,
  authority: KafkaAdminOptions['authority'],
): Promise<BaseOptions> {
  const tls = await tlsOf(cluster, authority)
  // RFC 6066: no SNI for an address.
  const tlsServerName = cluster.bootstrapServers.every((server) => isIP(server.replace(/:\d+$/, '')) === 0)
  return {
    clientId: 'weft-control-plane',
    bootstrapBrokers: [...cluster.bootstrapServers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    timeout: REQUEST_TIMEOUT_MS,
    // Whoever calls tries again with a backoff of its own, and says so.
    retries: 0,
    ...(tls !== undefined && { tls, tlsServerName }),
  }
}

async function tlsOf(
  { security }: KafkaCluster,
  authority: KafkaAdminOptions['authority'],
): Promise<ConnectionOptions | undefined> {
  if (security === 'plaintext') return undefined
  // A broker outside of the mesh proves itself with a public certificate, one inside with the mesh's.
  if (security === 'tls') return { ca: [...rootCertificates, authority.rootPem] }
  const { certificatePem, privateKeyPem } = await authority.issueWithKey({
    spiffeId: controlPlaneId(authority.trustDomain),
    ttlSeconds: CERTIFICATE_TTL_SECONDS,
  })
  return { ca: authority.rootPem, cert: certificatePem, key: privateKeyPem }
}
