/** What the registry answers when it refuses: the codes of the Confluent Schema Registry, which clients look at; the first three digits are the HTTP status. */

const MESSAGES = {
  40401: (subject: string) => `Subject '${subject}' not found.`,
  40402: (version: string) => `Version ${version} not found.`,
  40403: () => 'Schema not found',
  40404: (subject: string) =>
    `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently`,
  40405: (subject: string) => `Subject '${subject}' was not deleted first before being permanently deleted`,
  40406: (version: string) => `Version ${version} was soft deleted. Set permanent=true to delete permanently`,
  40407: (version: string) => `Version ${version} was not deleted first before being permanently deleted`,
  40408: (subject: string) => `Subject '${subject}' does not have subject-level compatibility configured`,
  409: (reasons: string) => `Schema being registered is incompatible with an earlier schema: ${reasons}`,
  42201: (reason: string) => `Invalid schema: ${reason}`,
  42202: (version: string) =>
    `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
  42203: (level: string) =>
    `Invalid compatibility level ${level}: expected NONE, BACKWARD, FORWARD, FULL, or one of the last three with _TRANSITIVE`,
  42206: (schema: string) => `One or more references exist to the schema ${schema}`,
  422: (reason: string) => reason,
  50003: (reason: string) => reason,
} as const

export type RegistryErrorCode = keyof typeof MESSAGES

export class RegistryError extends Error {
  readonly code: RegistryErrorCode

  constructor(code: RegistryErrorCode, about = '') {
    super(MESSAGES[code](about))
    this.name = 'RegistryError'
    this.code = code
  }

  get status(): number {
    return Number(String(this.code).slice(0, 3))
  }
}
