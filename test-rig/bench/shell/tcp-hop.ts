/**
 * One plain hop of TCP, as a program: `tcp-hop.ts <port to dial>` passes bytes both ways and prints the port it listens on.
 * Three of them are what the tunnel is measured against: as many processes, as many sockets, no protocol.
 */
import { connect, createServer } from 'node:net'

const target = Number(process.argv[2])
const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true })
  for (const socket of [near, far]) socket.on('error', () => void [near.destroy(), far.destroy()])
  near.pipe(far)
  far.pipe(near)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${String(typeof address === 'object' ? (address?.port ?? 0) : 0)}\n`)
})
