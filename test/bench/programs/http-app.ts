/** The app behind every HTTP contestant. Raw sockets, so that its core is not what limits: `GET /mib` is answered with 1 MiB, all else with 1 KiB. */
import { createServer } from 'node:net'

const answer = (size: number): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${size}\r\n\r\n`),
    Buffer.alloc(size, 'x'),
  ])
const KIB = answer(1024)
const MIB = answer(1024 * 1024)
const END_OF_HEAD = '\r\n\r\n'

createServer({ noDelay: true }, (socket) => {
  let rest = ''
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    for (let end = rest.indexOf(END_OF_HEAD); end !== -1; end = rest.indexOf(END_OF_HEAD)) {
      socket.write(rest.startsWith('GET /mib ') ? MIB : KIB)
      rest = rest.slice(end + END_OF_HEAD.length)
    }
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
