import { useEffect, useRef, useState } from 'preact/hooks'
import { type Facts, stateWord } from '../loom/fact-types.ts'
import { words } from '../strings.ts'

/** Says to a screen reader what changed its state; numbers it does not say. */
export function ChangeVoice({ facts }: { readonly facts: Facts }) {
  const before = useRef<ReadonlyMap<string, string> | undefined>(undefined)
  const [said, say] = useState('')
  useEffect(() => {
    const now = statesOf(facts)
    const changes = [...now].filter(
      ([what, state]) => before.current !== undefined && before.current.get(what) !== state,
    )
    before.current = now
    if (changes.length > 0) say(changes.map(([what, state]) => words.changed(what, state)).join('. '))
  }, [facts])
  return (
    <p class="hidden" aria-live="polite">
      {said}
    </p>
  )
}

function statesOf({ columns, rows, knots, calls }: Facts): ReadonlyMap<string, string> {
  return new Map([
    ...[...columns, ...rows].map(({ name, state }) => [name, words.state[state]] as const),
    ...calls.map(
      ({ source, destination, state }) => [`${source} → ${destination}`, words.state[state]] as const,
    ),
    ...knots.map(
      ({ service, topic, state, refused }) => [`${service}, ${topic}`, stateWord(state, refused)] as const,
    ),
  ])
}
