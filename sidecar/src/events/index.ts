export { listenForEvents } from './listen.ts'
