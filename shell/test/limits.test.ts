import { describe, expect, test } from 'vitest'
import { claimsFor, mint, RunningShellRelay } from './support/running-shell-relay.ts'
import { WebsocketPeer } from './support/websocket-peer.ts'

const clientScope = { scopes: ['client'] }

async function refusal(response: Response): Promise<unknown> {
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  }
}

/** What a limit says: 429 or 503 with a time to wait. */
function tooMany(status: number, message: string) {
  return { status, retryAfter: '10', body: { code: status, message } }
}

describe('requests', () => {
  test('of one address are limited, with the time to wait', async () => {
    await using running = await RunningShellRelay.start({
      settings: { ACCESS_ADDRESS_REQUESTS: '5', ACCESS_PER: '1h' },
    })
    const token = mint(claimsFor('a'))
    const statuses: number[] = []
    for (let count = 0; count < 6; count++) statuses.push((await running.post('a', token)).status)

    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
  })

  test('with bad tokens are limited, those with good ones from the same address are not', async () => {
    await using running = await RunningShellRelay.start({
      settings: { ACCESS_REFUSED_REQUESTS: '2', ACCESS_PER: '1h' },
    })
    const statuses: number[] = []
    for (let count = 0; count < 3; count++) statuses.push((await running.post('a', 'bad.token.x')).status)

    expect(statuses).toEqual([401, 401, 429])
    expect((await running.post('a', mint(claimsFor('a')))).status).toBe(200)
  })

  test('of one token are limited', async () => {
    await using running = await RunningShellRelay.start({
      settings: { ACCESS_SUBJECT_REQUESTS: '1', ACCESS_PER: '1h' },
    })
    const token = mint(claimsFor('a'))

    expect((await running.post('a', token)).status).toBe(200)
    expect((await running.post('a', token)).status).toBe(429)
    expect((await running.post('a', mint(claimsFor('a', { jti: '2' })))).status).toBe(200)
  })

  test('come from behind a trusted proxy by the address that it names', async () => {
    await using running = await RunningShellRelay.start({
      settings: { ACCESS_ADDRESS_REQUESTS: '1', ACCESS_PER: '1h' },
    })
    const from = async (address: string): Promise<number> =>
      (await fetch(`${running.access}/healthz`, { headers: { 'x-forwarded-for': address } })).status

    expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([
      200, 429, 200,
    ])
  })
})

describe('before an address is given, and again before the upgrade,', () => {
  test('the sessions of an experiment are limited', async () => {
    await using running = await RunningShellRelay.start({ settings: { RELAY_MAX_SESSIONS_PER_ID: '1' } })
    const spare = await running.address('a', clientScope)
    const client = await WebsocketPeer.open(await running.address('a', clientScope))

    expect(await refusal(await running.post('a', mint(claimsFor('a', clientScope))))).toEqual(
      tooMany(429, 'too many connections with this experiment: close some first'),
    )
    await expect(WebsocketPeer.open(spare)).rejects.toThrow('refused with 429')
    expect((await running.post('b', mint(claimsFor('b', clientScope)))).status).toBe(200)
    client.cut()
  })

  test('the sessions of an address are limited', async () => {
    await using running = await RunningShellRelay.start({
      settings: { RELAY_MAX_SESSIONS_PER_ADDRESS: '1' },
    })
    const client = await WebsocketPeer.open(await running.address('a', clientScope))

    expect(await refusal(await running.post('b', mint(claimsFor('b', clientScope))))).toEqual(
      tooMany(429, 'too many connections from this address: close some first'),
    )
    expect((await running.post('b', mint(claimsFor('b')))).status).toBe(200)
    client.cut()
  })

  test('the hosts of an experiment are limited', async () => {
    await using running = await RunningShellRelay.start({ settings: { RELAY_MAX_HOSTS_PER_ID: '1' } })
    const host = await WebsocketPeer.open(await running.address('a'))

    expect(await refusal(await running.post('a', mint(claimsFor('a'))))).toEqual(
      tooMany(429, 'too many hosts hold this experiment: stop some first'),
    )
    host.cut()
  })

  test('those who wait for a host that is not there are limited', async () => {
    await using running = await RunningShellRelay.start({ settings: { RELAY_MAX_WAITING_PER_ID: '1' } })
    const client = await WebsocketPeer.open(await running.address('a', clientScope))

    expect(await refusal(await running.post('a', mint(claimsFor('a', clientScope))))).toEqual(
      tooMany(429, 'the host of this experiment is not connected, and too many wait for it'),
    )
    client.cut()
  })

  test('all websockets together are limited', async () => {
    await using running = await RunningShellRelay.start({ settings: { RELAY_MAX_CONNECTIONS: '1' } })
    const host = await WebsocketPeer.open(await running.address('a'))

    expect(await refusal(await running.post('b', mint(claimsFor('b'))))).toEqual(
      tooMany(503, 'the relay has as many connections as it may have: try again later'),
    )
    host.cut()
  })
})

test('codes are bounded: the oldest gives way', async () => {
  await using running = await RunningShellRelay.start({ settings: { RELAY_MAX_CODES: '1' } })
  const first = await running.address('a')
  const second = await running.address('a')

  await expect(WebsocketPeer.open(first)).rejects.toThrow('refused with 401')
  const host = await WebsocketPeer.open(second)
  host.cut()
})
