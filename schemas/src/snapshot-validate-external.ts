import { closed, EXACTLY_ONE, oneOf, text } from './snapshot-checks.ts'

/** Closed: a member that is not understood may be the one that says whom to believe. */
export const EXTERNAL = closed(
  { resolution: oneOf('dns', 'static') },
  {
    name: text,
    tls: closed(
      {},
      {
        serverName: text,
        ca: closed({}, { inline: text, file: text }, EXACTLY_ONE),
        clientCertificate: closed({ certificateFile: text, privateKeyFile: text }, {}),
      },
    ),
  },
)
