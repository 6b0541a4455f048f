import type { Answer } from './classify.ts'
import type { Gate } from './gate.ts'
import type { AppClient } from './post.ts'
import type { Attempt, Receiver } from './receiver.ts'
import { toRequest } from './record.ts'

/** The app, at the path that the subscription names. */
export class AppReceiver implements Receiver {
  readonly gate: Gate
  readonly #client: AppClient
  readonly #port: number

  constructor(gate: Gate, client: AppClient, port: number) {
    this.gate = gate
    this.#client = client
    this.#port = port
  }

  take({ record, settings, attempt, traceparent }: Attempt, lost: AbortSignal): Promise<Answer> {
    const { headers, body } = toRequest(record)
    const { name, path = '/', timeoutMs } = settings
    return this.#client.post(
      {
        port: this.#port,
        path,
        headers: {
          ...headers,
          'weft-attempt': String(attempt),
          'weft-subscription': name,
          traceparent,
        },
        body,
        timeoutMs,
      },
      lost,
    )
  }
}
