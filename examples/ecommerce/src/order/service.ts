import { openDatabase } from '../chassis/database.ts'
import { Outbox } from '../chassis/outbox.ts'
import type { Service } from '../chassis/process.ts'
import { Relay } from '../chassis/relay.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { publishByHttp } from './event-api.ts'
import { ORDER_MIGRATIONS, Orders } from './orders.ts'
import { registerOrderRoutes } from './routes.ts'
import type { OrderSettings } from './settings.ts'

const NAME = 'order-service'

/** Starts order-service; resolves when it listens. What a former life left in the outbox is published first. */
export async function startOrderService(settings: OrderSettings): Promise<Service> {
  const database = openDatabase(settings.dataDir, NAME, ORDER_MIGRATIONS)
  const app = createWebApp({ name: NAME, logLevel: settings.logLevel, isReady: () => database.isOpen })
  const outbox = new Outbox(database)
  const orders = new Orders(database, outbox)
  const relay = new Relay({
    outbox,
    log: app.log,
    publish: (entry) => publishByHttp(settings.eventsUrl, entry),
  })
  registerOrderRoutes(app, {
    orders,
    outbox,
    onStored() {
      // The hook of the test only: from the second order on, the process lives, also after its restart.
      if (settings.crashAfterStore && orders.count() === 1) process.kill(process.pid, 'SIGKILL')
      relay.wake()
    },
  })
  await app.listen({ host: '127.0.0.1', port: settings.port })
  relay.wake()
  return {
    app,
    async stop() {
      await app.close()
      await relay.stop()
      database.close()
    },
  }
}
