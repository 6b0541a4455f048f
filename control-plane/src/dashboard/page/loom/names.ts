/** A name longer than the widest box ends in an ellipsis; it is whole in the table. */
const MAX_NAME_CHARACTERS = 34

export interface Named {
  readonly name: string
  readonly parent?: string
}

/** What stands in a box: dead letters stand under their topic and need not say its name again. */
export function shownName({ name, parent }: Named): string {
  const rest =
    parent !== undefined && name.startsWith(`${parent}.`) ? `…${name.slice(parent.length + 1)}` : name
  return rest.length <= MAX_NAME_CHARACTERS ? rest : `${rest.slice(0, MAX_NAME_CHARACTERS - 1)}…`
}
