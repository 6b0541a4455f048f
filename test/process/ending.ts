import type { TestContext } from 'node:test'

/** Ends what a test has begun, the last first: a broker before its folder. (The after hooks of node:test run in the order they were given.) */
export function ending(test: TestContext): AsyncDisposableStack {
  const stack = new AsyncDisposableStack()
  test.after(() => stack.disposeAsync())
  return stack
}
