export { DeadLetterDesk } from './desk.ts'
export { registerDeadLetterRoutes } from './routes.ts'
