import { Admin } from '@platformatic/kafka'

/** A connection to a broker without TLS, that gives up quickly. */
export const plainAdmin = (bootstrapServers: readonly string[]): Admin =>
  new Admin({
    clientId: 'lag-test',
    bootstrapBrokers: [...bootstrapServers],
    retries: 0,
    connectTimeout: 1000,
    timeout: 3000,
  })
