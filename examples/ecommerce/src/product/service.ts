import { openDatabase } from '../chassis/database.ts'
import type { Service } from '../chassis/process.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { CATALOGUE } from './catalogue.ts'
import { createOrderClient } from './order-client.ts'
import { registerPage } from './page.ts'
import { registerEvents, registerShopApi } from './routes.ts'
import type { ProductSettings } from './settings.ts'
import { PRODUCT_MIGRATIONS, Stock } from './stock.ts'

const NAME = 'product-service'

/** Starts product-service with the shop page; resolves when it listens. */
export async function startProductService(settings: ProductSettings): Promise<Service> {
  const database = openDatabase(settings.dataDir, NAME, PRODUCT_MIGRATIONS)
  const app = createWebApp({ name: NAME, logLevel: settings.logLevel, isReady: () => database.isOpen })
  const stock = new Stock(database, CATALOGUE)
  const orders = createOrderClient(settings.orderServiceUrl)
  registerPage(app)
  registerShopApi(app, { stock, orders, dashboardUrl: settings.dashboardUrl })
  registerEvents(app, stock)
  await app.listen({ host: '127.0.0.1', port: settings.port })
  return {
    app,
    async stop() {
      await app.close()
      database.close()
    },
  }
}
