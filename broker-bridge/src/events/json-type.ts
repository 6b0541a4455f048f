/** True for RFC 8259 text, or the suffix that RFC 6839 registers for it. */
export const isJsonType = (contentType: string): boolean => JSON_TYPE.test(contentType)

const JSON_TYPE = /^application\/(?:[^;]+\+)?json(?:\s*;|$)/i
