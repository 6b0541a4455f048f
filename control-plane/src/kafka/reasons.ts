import type { GenericError, MultipleErrors } from '@platformatic/kafka'

/** The innermost reasons: the client wraps what the broker said two or three times. */
export function reasonsOf(error: unknown): string {
  const reasons = new Set<string>()
  const visit = (current: unknown, depth: number): void => {
    if (!(current instanceof Error) || depth > 8) return
    const { errors } = current as Partial<MultipleErrors>
    const inner: readonly unknown[] = errors ?? (current.cause === undefined ? [] : [current.cause])
    if (inner.length === 0) reasons.add((current as GenericError).serverErrorMessage ?? current.message)
    for (const each of inner) visit(each, depth + 1)
  }
  visit(error, 0)
  return reasons.size === 0 ? String(error) : [...reasons].join('; ')
}
