import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { UnavailableError } from '../src/errors.ts'
import { listen } from '../src/listen.ts'

const servers: Server[] = []
const newServer = (): Server => {
  const server = createServer()
  servers.push(server)
  return server
}
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
})

async function failure(server: Server, options: { port: number; host?: string }): Promise<UnavailableError> {
  const error: unknown = await listen(server, { ...options, what: 'the access API' }).catch(
    (caught: unknown) => caught,
  )
  if (!(error instanceof UnavailableError)) throw error
  return error
}

test('a free port is given and told', async () => {
  const server = newServer()
  const port = await listen(server, { port: 0, host: '127.0.0.1', what: 'the access API' })

  expect(port).toBeGreaterThan(0)
  expect(server.address()).toMatchObject({ port, address: '127.0.0.1' })
})

test('without a host it listens on every address', async () => {
  const server = newServer()
  await listen(server, { port: 0, what: 'the access API' })

  expect(server.address()).toMatchObject({ address: expect.stringMatching(/^(?:::|0\.0\.0\.0)$/) as string })
})

test('a port in use is named, with what to do', async () => {
  const port = await listen(newServer(), { port: 0, host: '127.0.0.1', what: 'the first' })
  const server = newServer()

  expect(await failure(server, { port, host: '127.0.0.1' })).toMatchObject({
    code: 'PORT_IN_USE',
    message: `the access API: port ${port} of 127.0.0.1 is in use by another program; stop it or choose another port`,
  })
  // Nothing of the attempt is left: the same server may try again.
  expect(server.listenerCount('error') + server.listenerCount('listening')).toBe(0)
  expect(await listen(server, { port: 0, host: '127.0.0.1', what: 'the access API' })).toBeGreaterThan(0)
})

test('an address of another machine is named, with what to do', async () => {
  expect(await failure(newServer(), { port: 0, host: '192.0.2.1' })).toMatchObject({
    code: 'LISTEN_FAILED',
    message:
      'the access API: port 0 of 192.0.2.1 cannot be opened: this machine has no such address; ' +
      'choose one of its own, or 0.0.0.0 for all',
  })
})

test('a name that means nothing is named', async () => {
  const error = await failure(newServer(), { port: 0, host: 'no-such-host.invalid' })

  expect(error.code).toBe('LISTEN_FAILED')
  expect(error.message).toContain('the access API: port 0 of no-such-host.invalid cannot be opened')
})

test('a port that is no port is a fault of ours as well, not a bug', async () => {
  expect(await failure(newServer(), { port: 70_000 })).toMatchObject({ code: 'LISTEN_FAILED' })
})

test('once it listens it leaves errors of the server to others', async () => {
  const server = newServer()
  await listen(server, { port: 0, host: '127.0.0.1', what: 'the access API' })

  expect(server.listenerCount('error')).toBe(0)
})
