export { registerDashboard } from './register.ts'
