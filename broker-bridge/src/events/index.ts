export { type EventsOptions, startEvents } from './start.ts'
