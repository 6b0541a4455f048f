import { paused, togglePause } from '../state/live.ts'
import { words } from '../strings.ts'

/** Stops all that moves by itself (WCAG 2.2.2). */
export function PauseButton() {
  return (
    <button type="button" class="quiet" onClick={togglePause}>
      {paused.value ? `▶ ${words.resume}` : `❚❚ ${words.pause}`}
    </button>
  )
}
