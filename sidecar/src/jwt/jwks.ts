/** Reads a JSON Web Key Set (RFC 7517) from where it is published, whatever is published there. */
import { open } from 'node:fs/promises'
import type { JwksSource } from '@weft/schemas/snapshot'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'

/** Looks up the key that a token names. */
export type Keys = ReturnType<typeof createLocalJWKSet>

const FETCH_TIMEOUT_MS = 5_000
/** Hundreds of keys. */
const MAX_BYTES = 256 * 1024

/** Rejects with an Error that says what was wrong; nothing of it holds more than MAX_BYTES. */
export async function readKeys(source: JwksSource): Promise<Keys> {
  // createLocalJWKSet refuses what is no key set; a key that is none is found out when a token names it.
  return createLocalJWKSet(JSON.parse(await textOf(source)) as JSONWebKeySet)
}

function textOf(source: JwksSource): Promise<string> {
  if ('inline' in source) return Promise.resolve(source.inline)
  return 'file' in source ? readFile(source.file) : fetchText(source.uri)
}

async function fetchText(uri: string): Promise<string> {
  // A redirect could lead to plain text, or to an address that nobody wrote into the resource.
  const answer = await fetch(uri, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  if (answer.status !== 200) {
    await answer.body?.cancel()
    throw new Error(`expected 200, ${answer.status} came`)
  }
  return collect(answer.body ?? [])
}

async function readFile(path: string): Promise<string> {
  await using file = await open(path)
  return await collect(file.createReadStream({ end: MAX_BYTES, autoClose: false }))
}

async function collect(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error(`expected at most ${MAX_BYTES} bytes`)
    kept.push(chunk)
  }
  return Buffer.concat(kept).toString()
}
