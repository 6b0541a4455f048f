import { type MeshError, toProblem } from '@weft/schemas/error'

/** The body of the answer to a request that no service saw. Messages quote what came, so that anything beyond ASCII is escaped. */
export function problemBody(error: MeshError): string {
  return JSON.stringify(toProblem(error)).replace(/[^ -~]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
