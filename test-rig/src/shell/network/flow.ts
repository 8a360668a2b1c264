/**
 * One end of a flow of bytes, as a program so that it can run in a network namespace:
 * `serve <port>` gives without end to who says `d`, and counts what who says `u` sends from then on until its end;
 * `down <address> <port> <seconds>` and `up <address> <port> <megabytes>` print the megabytes per second, from the time
 * on at which both ends have each other.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const piece = Buffer.alloc(64 * 1024, 'x')
const warmUpMs = 1000
const ready = 'r'
const [mode = '', ...words] = process.argv.slice(2)

if (mode === 'serve') serve(Number(words[0]))
else {
  const [address = '', port, amount] = words
  const socket = connect({ host: address, port: Number(port), noDelay: true, allowHalfOpen: true })
  await once(socket, 'connect')
  const rate = mode === 'down' ? await takeFor(socket, Number(amount)) : await give(socket, Number(amount))
  process.stdout.write(`${rate.toFixed(2)}\n`)
  process.exit(0)
}

function serve(port: number): void {
  createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let counted = 0
    socket.on('error', () => {})
    socket.once('data', (first: Buffer) => {
      if (first[0] === 'd'.charCodeAt(0)) pour(socket)
      else {
        socket.write(ready)
        socket.on('data', (chunk: Buffer) => (counted += chunk.length))
        socket.on('end', () => socket.end(`${String(counted)}\n`))
      }
    })
  }).listen(port)
}

function pour(socket: Socket): void {
  while (!socket.destroyed && socket.write(piece));
  socket.once('drain', () => pour(socket))
}

async function takeFor(socket: Socket, seconds: number): Promise<number> {
  let bytes = 0
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
  socket.write('d')
  await sleep(warmUpMs)
  const [before, startedAtMs] = [bytes, performance.now()]
  await sleep(seconds * 1000)
  return (bytes - before) / 1000 / (performance.now() - startedAtMs)
}

async function give(socket: Socket, megabytes: number): Promise<number> {
  socket.write('u')
  await once(socket, 'data')
  const startedAtMs = performance.now()
  const total = megabytes * 1_000_000
  for (let sent = 0; sent < total; sent += piece.length) if (!socket.write(piece)) await once(socket, 'drain')
  socket.end()
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (Number(String(answer)) < total) throw new Error(`only ${String(answer)} bytes came`)
  return total / 1000 / (performance.now() - startedAtMs)
}
