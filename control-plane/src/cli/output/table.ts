import { getBorderCharacters, table } from 'table'

/** Columns under their headings, two spaces apart, no lines: for eyes, and for `awk`. Ends in a newline; empty for no rows. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const text = table(
    [headings, ...rows].map((row) => row.map((cell) => printable(cell))),
    {
      border: getBorderCharacters('void'),
      columnDefault: { paddingLeft: 0, paddingRight: 2 },
      drawHorizontalLine: () => false,
    },
  )
  return text.replace(/[ \t]+$/gm, '')
}

/** Names come from elsewhere: no line break and no control character but our own colours reaches the terminal. */
export function printable(text: string): string {
  const safe = text
    .replace(/\r?\n/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    .replace(/\u001b(?!\[\d{1,2}m)|[\u0000-\u001a\u001c-\u001f\u007f-\u009f]/g, '�')
  return safe === '' ? '-' : safe
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const

/** `3m`, `12s`, `2d`: how long ago, in the largest unit that fits. */
export function age(since: string | number, now = Date.now()): string {
  const ms = Math.max(0, now - new Date(since).getTime())
  for (const [length, unit] of UNITS) if (ms >= length) return `${Math.floor(ms / length)}${unit}`
  return Number.isNaN(ms) ? '-' : '0s'
}

/** `812 µs`, `12.3 ms`, `1.8 s`. */
export function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`
}
