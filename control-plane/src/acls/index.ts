export { registerAclRoutes } from './routes.ts'
export { wantedAcls } from './wanted.ts'
export { type AclReview, startAclWriter } from './writer.ts'
