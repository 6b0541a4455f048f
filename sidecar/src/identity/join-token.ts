import { MeshError } from '@weft/schemas/error'

/** What a sidecar reads from its join token; the secret in it is for the control plane. */
export interface JoinToken {
  readonly text: string
  /** SHA-256 of the root certificate's DER, base64url: whoever shows this root may have the secret. */
  readonly rootHash: string
}

const FORM = /^weft-join\.[A-Za-z0-9_-]{43}\.([A-Za-z0-9_-]{43})$/

/** Space around it is ignored: tokens come from files. Throws MeshError `unauthenticated`; the text is not in the message. */
export function parseJoinToken(raw: string): JoinToken {
  const text = raw.trim()
  const [, rootHash] = FORM.exec(text) ?? []
  if (rootHash === undefined)
    throw new MeshError(
      'unauthenticated',
      `expected a join token (weft-join.<secret>.<root>), came ${text.length} other characters: ` +
        'make one with POST /api/v1/join-tokens of the control plane',
    )
  return { text, rootHash }
}
