export { type Listener, listen } from './listener.ts'
