/** Numbers and times as text. */

/** U+202F: thousands stay together and look like one number. */
const THIN = '\u202f'

/** `1204` → `1 204`. */
export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, THIN)

/** `12.4` → `12`, `2.41` → `2.4`. */
export const rate = (value: number): string =>
  value >= 9.95 ? count(value) : String(Number(value.toFixed(1)))

/** Whole per cent, but never 0 for something and never 100 for not all. */
export function share(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0'
  return part >= whole ? '100' : String(Math.min(99, Math.max(1, Math.round((part / whole) * 100))))
}

/** `0.42 ms`, `3.1 ms`, `123 ms`, `1.23 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms >= 60_000) {
    const seconds = Math.round(ms / 1000)
    return `${count(Math.floor(seconds / 60))} min ${seconds % 60} s`
  }
  if (ms >= 999.5) return `${(ms / 1000).toFixed(2)} s`
  if (ms >= 9.95) return `${Math.round(ms)} ms`
  return ms >= 1 || ms === 0 ? `${Number(ms.toFixed(1))} ms` : `${Number(ms.toFixed(2))} ms`
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export const clock = (unixMs: number): string => CLOCK.format(safeDate(unixMs))
export const iso = (unixMs: number): string => safeDate(unixMs).toISOString()

/** A span may claim any time; a Date ends in the year 275760. */
const safeDate = (unixMs: number): Date => new Date(Math.min(Math.max(unixMs, 0), 8.64e15))
