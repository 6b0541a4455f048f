import { runService } from '../chassis/process.ts'
import { startBillingService } from './service.ts'
import { billingSettings } from './settings.ts'

await runService(async () => startBillingService(billingSettings(process.env)))
