export { startWireProxy, type WireProxy, type WireProxyOptions } from './wire-proxy.ts'
