/** Looks at the token of the end user before anybody asks what it claims: none is fine, an invalid one is not (401). */
import { MeshError } from '@weft/schemas/error'
import { bearerToken } from '../jwt/bearer.ts'
import type { TokenVerifier } from '../jwt/verifier.ts'
import type { Service } from '../transport/exchange.ts'
import { WaitingExchange } from '../transport/waiting-exchange.ts'

/** For as long as no policy asks for a token, the layer costs one comparison: a snapshot may ask at any time. */
export function authenticate(inner: Service, verifier: TokenVerifier): Service {
  return {
    call(head, response) {
      if (!verifier.isAsked) return inner.call(head, response)
      const token = bearerToken(head.fields)
      if (token === undefined) return inner.call(head, response)
      head.notes.token = verifier.known(token)
      if (head.notes.token !== undefined) return inner.call(head, response)
      const waiting = new WaitingExchange({ onWaitCancelled() {} }, head, response)
      verifier.verify(token).then(
        (proven) => {
          head.notes.token = proven
          waiting.attach(inner)
        },
        (error: unknown) => waiting.fail(MeshError.from(error)),
      )
      return waiting
    },
  }
}
