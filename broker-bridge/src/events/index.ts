export type { ListenHttp } from '../http-service.ts'
export { type EventsOptions, startEvents } from './start.ts'
