import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readResources } from '@weft/schemas/resources'
import { resourceBlocks } from './snippets.ts'

const ROOT = join(import.meta.dirname, '..')
const PAGES = globSync('{*.md,docs/**/*.md,examples/**/*.md,deploy/**/*.md}', {
  cwd: ROOT,
  exclude: (name) => name.includes('node_modules'),
}).toSorted()

for (const page of PAGES)
  for (const { text, line } of resourceBlocks(readFileSync(join(ROOT, page), 'utf8')))
    test(`${page}:${line} holds resources that are right`, () => {
      const { resources, faults } = readResources(text, page)
      assert.deepEqual(
        faults.map((fault) => `${page}:${line + fault.line} ${fault.message}`),
        [],
      )
      assert.notEqual(resources.length, 0)
    })
