import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { document } from '../document.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { globals } from '../settings.ts'

const PACKAGE = join(import.meta.dirname, '../../../package.json')

/** Version of this package. */
export function softwareVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version
}

export function addVersion(program: Command, io: Io): void {
  const command = program.command('version').action((_options: unknown, self: Command) => {
    const format = pickFormat(globals(self).output, ['table', 'json'])
    const version = softwareVersion()
    io.out.write(
      format === 'json'
        ? toJson({ version, node: process.version })
        : `weft ${version} (node ${process.version})\n`,
    )
  })
  document(command, {
    description: 'Print the version.',
    examples: [
      ['weft version', 'of Weft and of the Node that runs it'],
      ['weft version -o json', '{"version", "node"}'],
    ],
  })
}
