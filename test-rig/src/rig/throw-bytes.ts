import { connect } from 'node:net'

/**
 * Opens a connection, writes `bytes` and half-closes; gives the answer's first 64 KiB once the other end has closed, or
 * after `forMs`. Never rejects: a refused or reset connection is an answer like any other.
 */
export function throwBytes(port: number, bytes: Buffer, forMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const done = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(Buffer.concat(chunks))
    }
    const timer = setTimeout(done, forMs)
    socket.on('connect', () => socket.end(bytes))
    socket.on('data', (chunk: Buffer) => {
      if (length < 65_536) chunks.push(chunk)
      length += chunk.length
    })
    socket.on('end', done)
    socket.on('error', done)
  })
}
