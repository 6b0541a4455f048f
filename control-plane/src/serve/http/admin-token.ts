import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@weft/schemas/node/log'
import { isCode, replaceFile } from '../../source/index.ts'

/** Who has it may change every resource and become every identity of the mesh. */
export interface AdminToken {
  /** The file that holds it, for people who look for it. */
  readonly path: string
  /** Is this the value of an Authorization header that carries the token, as a bearer's or as a password? Takes as long for a wrong one as for the right one. */
  accepts(authorization: string | undefined): boolean
}

const TOKEN_BYTES = 32
const MIN_TOKEN_CHARACTERS = 32
const READABLE_BY_OTHERS = 0o077

/** Reads `<stateDir>/admin-token`; the first start makes it, mode 0600. Throws where it is too short to be a secret. */
export async function openAdminToken(stateDir: string, log: Log): Promise<AdminToken> {
  const path = join(stateDir, 'admin-token')
  let token = await read(path)
  if (token === undefined) {
    token = randomBytes(TOKEN_BYTES).toString('base64url')
    await replaceFile(path, `${token}\n`, 0o600)
  }
  if (token.length < MIN_TOKEN_CHARACTERS)
    throw new Error(
      `${path}: expected at least ${MIN_TOKEN_CHARACTERS} characters, came ${token.length}; remove the file to have a new one made`,
    )
  if (((await stat(path)).mode & READABLE_BY_OTHERS) !== 0)
    log.warn({ path }, 'other users can read the admin token: chmod 600 it')

  const expected = sha256(`Bearer ${token}`)
  return {
    path,
    // Hashes have one length, and comparing them tells nothing about how much of a guess was right.
    accepts: (authorization) =>
      authorization !== undefined && timingSafeEqual(sha256(asBearer(authorization)), expected),
  }
}

/** The password of Basic is the token as well, whatever the user: not every client of a schema registry can send a bearer's. */
function asBearer(authorization: string): string {
  const basic = /^basic +([a-z0-9+/]+=*)$/i.exec(authorization)?.[1]
  if (basic === undefined) return authorization.replace(/^bearer +/i, 'Bearer ')
  return Buffer.from(basic, 'base64')
    .toString()
    .replace(/^[^:]*:/, 'Bearer ')
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
