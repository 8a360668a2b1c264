import { createServer } from 'node:net'
import { listen } from '@relay/common/listen'

/** A port of `host` on which nothing listens at this moment. */
export async function freePort(host: string): Promise<number> {
  const server = createServer()
  const port = await listen(server, { port: 0, host, what: 'a free port' })
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Whether a port of `host` can be had at this moment. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  const server = createServer()
  try {
    await listen(server, { port, host, what: 'a port' })
  } catch {
    return false
  }
  await new Promise((resolve) => server.close(resolve))
  return true
}
