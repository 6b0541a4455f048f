export { isCode, replaceFile } from './atomic-file.ts'
export type { PutRequest, PutResult, ResourceName } from './changes.ts'
export { RefusedResources } from './refused-resources.ts'
export { openStore, type ResourceStore, type StoredResource, type StoreOptions } from './store.ts'
