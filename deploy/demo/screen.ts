import { styleText } from 'node:util'
import type { ProgressLines } from '@weft/control-plane/cli/progress'

type Screen = ConstructorParameters<typeof ProgressLines>[0]

/** The stream as progress lines want it. Colours follow NO_COLOR, FORCE_COLOR and whether it is a terminal. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY === true,
    columns: stream.columns ?? 100,
    paint: (style, text) => styleText(style, text, { stream }),
  }
}
