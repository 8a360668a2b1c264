import { createServer } from 'node:net'
import { errorCode, UnavailableError } from '@relay/common/errors'
import { listen } from '@relay/common/listen'

/** Below what Linux gives to outgoing connections (32768 and up): none of those can take a port while its owner restarts. */
const firstPort = 15_000
const lastPort = 32_000
const maxTries = 200

/**
 * Different ports of `host` on which nothing listens at this moment.
 * @throws {UnavailableError} `NO_FREE_PORT`.
 */
export async function freePorts(
  count: number,
  host: string,
  random: () => number,
): Promise<readonly number[]> {
  const found = new Set<number>()
  for (let tries = 0; tries < maxTries && found.size < count; tries += 1) {
    const port = firstPort + Math.floor(random() * (lastPort - firstPort))
    if (await isPortFree(port, host)) found.add(port)
  }
  if (found.size < count)
    throw new UnavailableError('NO_FREE_PORT', `no free port was found in ${maxTries} tries`)
  return [...found]
}

/** Whether a port of `host` can be had at this moment. */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  const server = createServer()
  try {
    await listen(server, { port, host, what: 'a port' })
  } catch (error) {
    if (errorCode(error) === 'LISTEN_FAILED') throw error
    return false
  }
  await new Promise((resolve) => server.close(resolve))
  return true
}
