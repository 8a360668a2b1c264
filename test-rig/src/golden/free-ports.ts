import { createServer } from 'node:net'
import { AppError } from '@relay/common/errors'
import { loopback } from './raw-http.ts'

/** Below what Linux gives to outgoing connections (32768 and up), so that none of those can take one from us. */
const firstPort = 15_000
const lastPort = 32_000
const maxTries = 200

/** Hands out ports that nothing listens on, each once. */
export class FreePorts {
  readonly #given = new Set<number>()

  async next(): Promise<number> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
      if (this.#given.has(port)) continue
      this.#given.add(port)
      if (await isFree(port)) return port
    }
    throw new AppError('GOLDEN_PORTS', `no free port found in ${String(maxTries)} tries`)
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, loopback, () => server.close(() => resolve(true)))
  })
}
