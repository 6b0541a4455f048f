import { runService } from '../chassis/process.ts'
import { startOrderService } from './service.ts'
import { orderSettings } from './settings.ts'

await runService(async () => startOrderService(orderSettings(process.env)))
