export { Rewinder } from './rewinder.ts'
export { registerRewindRoutes } from './routes.ts'
