import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { REFERENCE_FILE, renderReference } from './reference.ts'

test('docs/reference/cli.md says what the commands are; if not, run `node control-plane/src/cli/reference.ts`', () => {
  assert.equal(readFileSync(REFERENCE_FILE, 'utf8'), renderReference())
})
