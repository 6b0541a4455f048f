/** ACLs in the words of the plan, read from a broker and written to it (KIP-140, KIP-290). */
import type { Admin } from '@platformatic/kafka'
import { KAFKA_OPERATION_CODES } from '@weft/schemas/policy'
import type { AclBinding } from './plan.ts'

/** The calls that are made. */
export type AclAdmin = Pick<Admin, 'describeAcls' | 'createAcls' | 'deleteAcls'>
type Acl = Parameters<AclAdmin['createAcls']>[0]['creations'][number]

const RESOURCE_TYPES = { topic: 2, group: 3, cluster: 4, transactionalId: 5 } as const
const PATTERN_TYPES = { literal: 3, prefixed: 4 } as const
const PERMISSIONS = { deny: 2, allow: 3 } as const
const OPERATIONS = { all: 2, ...KAFKA_OPERATION_CODES } as const
const ANY = 1
const ANY_HOST = '*'
/** A request of a few hundred kilobytes, which every broker takes. */
const MOST_AT_ONCE = 1_000

/** All of them; undefined for each that no policy can lead to: of one host, another kind of resource, another operation. Throws what the broker answers. */
export async function readAcls(admin: AclAdmin): Promise<readonly (AclBinding | undefined)[]> {
  const filter = {
    resourceType: ANY,
    resourceName: null,
    resourcePatternType: ANY,
    principal: null,
    host: null,
    operation: ANY,
    permissionType: ANY,
  } as const
  const resources = await admin.describeAcls({ filter })
  return resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) =>
    acls.map((permission) => bindingOf({ resourceType, resourceName, resourcePatternType, ...permission })),
  )
}

function bindingOf(acl: Acl): AclBinding | undefined {
  const resourceType = nameIn(RESOURCE_TYPES, acl.resourceType)
  const patternType = nameIn(PATTERN_TYPES, acl.resourcePatternType)
  const operation = nameIn(OPERATIONS, acl.operation)
  const permission = nameIn(PERMISSIONS, acl.permissionType)
  const { resourceName, principal } = acl
  if (acl.host !== ANY_HOST || resourceType === undefined || patternType === undefined) return undefined
  if (operation === undefined || permission === undefined) return undefined
  return { resourceType, resourceName, patternType, principal, operation, permission }
}

const nameIn = <Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  wanted: number,
): Name | undefined => (Object.keys(numbers) as Name[]).find((name) => numbers[name] === wanted)

/** Refusals first, so that nothing is open that is to stay closed. */
export async function createAcls(admin: AclAdmin, bindings: readonly AclBinding[]): Promise<void> {
  const denyFirst = bindings.toSorted((a, b) => PERMISSIONS[a.permission] - PERMISSIONS[b.permission])
  for (const some of chunks(denyFirst))
    await admin.createAcls({
      creations: some.map(aclOf),
    })
}

/** Exactly these. */
export async function deleteAcls(admin: AclAdmin, bindings: readonly AclBinding[]): Promise<void> {
  for (const some of chunks(bindings)) await admin.deleteAcls({ filters: some.map(aclOf) })
}

const aclOf = (binding: AclBinding): Acl => ({
  resourceType: RESOURCE_TYPES[binding.resourceType],
  resourceName: binding.resourceName,
  resourcePatternType: PATTERN_TYPES[binding.patternType],
  principal: binding.principal,
  host: ANY_HOST,
  operation: OPERATIONS[binding.operation],
  permissionType: PERMISSIONS[binding.permission],
})

function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / MOST_AT_ONCE) }, (_, index) =>
    all.slice(index * MOST_AT_ONCE, (index + 1) * MOST_AT_ONCE),
  )
}
