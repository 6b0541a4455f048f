/** What the exit code of `weft` means: the one table, printed by `weft --help` and in docs/reference/cli.md. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'done; for `can`: yes; for `status`: all is well',
  [EXIT.failed]: 'failed or refused; for `can`: no; for `status`: something is not well',
  [EXIT.usage]: 'wrong usage: unknown command or option, or an argument that cannot be right',
}
