import { ANSWERED, type Fields, type RequestHandler, type ResponseHandler } from '../../transport/exchange.ts'

/** Answers at once, without a body. What still comes of the request is passed over. */
export function answer(response: ResponseHandler, status: number, fields: Fields): RequestHandler {
  response.onHead({ status, fields, length: 0 })
  response.onEnd(undefined)
  return ANSWERED
}
