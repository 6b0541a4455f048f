/** Regular expressions of resources: the syntax of RE2, which matches in linear time whatever a caller sends (docs/adr, "Routes"). */
import { RE2JS } from 're2js'

/** Instructions of the compiled expression: work per character is bounded by it. Repetitions multiply, so length alone does not. */
const MAX_PROGRAM_SIZE = 2_000

export function isRegularExpression(text: string): boolean {
  try {
    return RE2JS.compile(text).programSize() <= MAX_PROGRAM_SIZE
  } catch {
    return false
  }
}
