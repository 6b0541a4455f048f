import { clock, iso } from './format.ts'

/** The time of day, and the whole of it for machines and for the pointer. */
export function Time({ unixMs }: { readonly unixMs: number }) {
  const whole = iso(unixMs)
  return (
    <time dateTime={whole} title={whole}>
      {clock(unixMs)}
    </time>
  )
}
