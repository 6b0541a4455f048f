/** Why a value cannot be read, as what is said of it: `is not of the schema with id 7: …`. `isUnknown`: by its schema, which may only be too new; it is asked for again later. */
export class UnreadableError extends Error {
  readonly isUnknown: boolean

  constructor(message: string, isUnknown: boolean) {
    super(message)
    this.isUnknown = isUnknown
  }
}
