/** A reporter for node:test that writes the path of each test file with a failure, one a line, for whoever runs them again. */
import type { TestEvent } from 'node:test/reporters'

export async function* failedFiles(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const seen = new Set<string>()
  for await (const event of source) {
    if (event.type !== 'test:fail') continue
    const { file } = event.data
    if (file === undefined || seen.has(file)) continue
    seen.add(file)
    yield `${file}\n`
  }
}

// node:test finds a reporter as the default export of its module.
export { failedFiles as default }
