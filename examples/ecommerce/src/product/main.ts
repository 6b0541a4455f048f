import { runService } from '../chassis/process.ts'
import { startProductService } from './service.ts'
import { productSettings } from './settings.ts'

await runService(async () => startProductService(productSettings(process.env)))
