export { SchemaRegistry } from './registry.ts'
export { registerSchemaRoutes } from './routes.ts'
export { SchemaLog } from './schema-log.ts'
