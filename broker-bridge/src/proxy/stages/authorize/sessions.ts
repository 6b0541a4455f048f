/** Who the client is was settled before it spoke: by the listener that it came to. */
import { SASL_HANDSHAKE } from '../../../wire/17-sasl-handshake.ts'
import { SASL_AUTHENTICATE } from '../../../wire/36-sasl-authenticate.ts'
import { CREATE_DELEGATION_TOKEN } from '../../../wire/38-create-delegation-token.ts'
import { RENEW_DELEGATION_TOKEN } from '../../../wire/39-renew-delegation-token.ts'
import { EXPIRE_DELEGATION_TOKEN } from '../../../wire/40-expire-delegation-token.ts'
import { DESCRIBE_DELEGATION_TOKEN } from '../../../wire/41-describe-delegation-token.ts'
import type { Api } from '../../../wire/api.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { AuthorizerTable } from './authorizer.ts'

function refuses<Response>(api: Api<unknown, Response>, answer: Partial<Response>): AuthorizerTable[number] {
  return [
    api.key,
    (exchange) => {
      exchange.answer(api, { ...api.response.absent, ...answer })
      return undefined
    },
  ]
}

const illegal = { errorCode: KAFKA_ERROR.illegalSaslState }
/** A token is a credential of its own: it would outlive the workload's certificate, and work round the sidecar. */
const noToken = { errorCode: KAFKA_ERROR.delegationTokenRequestNotAllowed }
/** `expiryTimestampMs` of an answer that is an error. */
const NO_TIME = -1n

export const SESSION_AUTHORIZERS: AuthorizerTable = [
  refuses(SASL_HANDSHAKE, illegal),
  refuses(SASL_AUTHENTICATE, {
    ...illegal,
    errorMessage: 'SaslAuthenticate request received after successful authentication',
  }),
  refuses(CREATE_DELEGATION_TOKEN, {
    ...noToken,
    issueTimestampMs: NO_TIME,
    expiryTimestampMs: NO_TIME,
    maxTimestampMs: NO_TIME,
  }),
  refuses(RENEW_DELEGATION_TOKEN, { ...noToken, expiryTimestampMs: NO_TIME }),
  refuses(EXPIRE_DELEGATION_TOKEN, { ...noToken, expiryTimestampMs: NO_TIME }),
  refuses(DESCRIBE_DELEGATION_TOKEN, noToken),
]
