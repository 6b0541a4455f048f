import type { Signal } from '@preact/signals'
import { words } from '../strings.ts'

export type View = 'picture' | 'table'

const VIEWS: readonly (readonly [View, string])[] = [
  ['picture', words.picture],
  ['table', words.table],
]

/** Each picture has a table twin, one click away. */
export function ViewSwitch({ view }: { readonly view: Signal<View> }) {
  return (
    <fieldset class="switch">
      <legend class="hidden">{words.view}</legend>
      {VIEWS.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name="view"
            value={value}
            checked={view.value === value}
            onChange={() => {
              view.value = value
            }}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}
