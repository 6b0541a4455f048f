import type { Command } from 'commander'
import { document } from '../document.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { findTarget, globals } from '../settings.ts'

export function addDashboard(program: Command, io: Io): void {
  const command = program.command('dashboard').action(async (_options: unknown, self: Command) => {
    const options = globals(self)
    const format = pickFormat(options.output, ['table', 'json'])
    const { context, url } = await findTarget(io, options)
    const dashboardUrl = context?.dashboardUrl ?? `${url.replace(/\/+$/, '')}/`
    io.out.write(format === 'json' ? toJson({ url: dashboardUrl }) : `${dashboardUrl}\n`)
  })
  document(command, {
    description: 'Print the address of the dashboard.',
    examples: [
      ['weft dashboard', 'where to look'],
      ['xdg-open "$(weft dashboard)"', 'and open it'],
    ],
  })
}
