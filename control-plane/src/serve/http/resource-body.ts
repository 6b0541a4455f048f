import { MeshError } from '@weft/schemas/error'
import {
  createLocator,
  type FaultPath,
  type PositionedFault,
  type ReadResource,
  readResources,
} from '@weft/schemas/resources'
import type { FastifyInstance } from 'fastify'
import { RefusedResources } from '../../source/index.ts'

/** The name of the request body in faults. */
const BODY_NAME = 'body'

/** The resources of a body, and where things stand in it. */
export interface ResourceBody {
  readonly resources: readonly ReadResource[]
  readonly locate: (
    read: ReadResource,
    at: FaultPath,
  ) => { readonly file: string; readonly line: number; readonly column: number }
}

/** Bodies with resources are parsed by this scope alone: as text, because faults carry line and column. */
export function registerResourceParsers(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  const types = ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml']
  scope.addContentTypeParser(types, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
      if (request.headers['content-type']?.startsWith('application/json') === true) JSON.parse(text)
      done(null, text)
    } catch (error) {
      const why = error instanceof Error ? error.message.slice(0, 200) : ''
      const expected = error instanceof SyntaxError ? 'JSON' : 'UTF-8'
      done(new MeshError('invalid_request', `expected ${expected} as body: ${why}`, { cause: error }))
    }
  })
}

/** Throws RefusedResources with every fault; a body without a resource is one, too. */
export function readBody(body: unknown): ResourceBody {
  const text = typeof body === 'string' ? body : ''
  const { resources, faults } = readResources(text, BODY_NAME)
  if (faults.length > 0) throw new RefusedResources(faults)
  if (resources.length === 0) throw new RefusedResources([fault('at least one resource', 'none')])
  let locator: ReturnType<typeof createLocator> | undefined
  return {
    resources,
    locate: (read, at) => {
      locator ??= createLocator(text)
      return { file: BODY_NAME, ...locator(read, at) }
    },
  }
}

/** A fault of the body as a whole. */
function fault(expected: string, came: string): PositionedFault {
  return {
    file: BODY_NAME,
    line: 1,
    column: 1,
    path: '',
    expected,
    came,
    message: `expected ${expected}, came ${came}`,
  }
}
