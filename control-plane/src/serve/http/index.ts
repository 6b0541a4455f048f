export { type AdminToken, openAdminToken } from './admin-token.ts'
export { type HttpOptions, type HttpServer, startHttp } from './server.ts'
