/** What is compared: one way from a client to the backend, which is an app or a broker. */

export interface Backend extends AsyncDisposable {
  readonly port: number
  /** Of a broker: a second listener, and the port that it tells its clients to come to, for a proxy that rewrites nothing. */
  readonly detour?: { readonly port: number; readonly advertisedPort: number }
}

/** Where a contestant is asked, and by what name the app is meant there. */
export interface Door {
  readonly port: number
  /** Host of the app for those that route by it. */
  readonly host?: string
}

export interface Running extends AsyncDisposable {
  readonly door: Door
  /** Processes whose CPU and memory are the contestant's; the app, load generator and control plane are not among them. */
  readonly pids: readonly number[]
}

export interface Contestant {
  readonly name: string
  /** For the legend of the table. */
  readonly about: string
  /** Resolves when requests come through. */
  start(backend: Backend): Promise<Running>
}

/** Gets what a contestant needs and returns it; throws Missing where it cannot be had. */
export type Entry = () => Promise<Contestant>

/** Something that is not on this machine; the message says how to get it. */
export class Missing extends Error {}
