import type { Probe } from './probe.ts'

/** The sidecar of the endpoint is there, and is who it should be. */
export const tcpProbe: Probe = ({ dial }, done) => {
  const socket = dial(
    () => {
      socket.destroy()
      done(undefined)
    },
    (error) => {
      socket.destroy()
      done(error.message)
    },
  )
  // Whatever else becomes of a connection that nobody wants is no news.
  socket.on('error', () => {})
  return () => socket.destroy()
}
