import type { webcrypto } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signTokenWithKey, type TokenClaims } from '@relay/common/token/sign-token'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimsFor, mint, RunningShellRelay } from './support/running-shell-relay.ts'
import { WebsocketPeer } from './support/websocket-peer.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shell-keys-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('shared secrets', () => {
  const old = 'old-secret-old-secret-old-secret-x'
  const next = 'new-secret-new-secret-new-secret-x'

  test('of a file are changed without a restart, and at an order at once', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, `${old}\n`)
    await using running = await RunningShellRelay.start({
      settings: { SECRET: '', SECRET_FILES: file, KEYS_EVERY: '1h' },
    })
    const status = async (secret: string): Promise<number> =>
      (await running.post('a', mint(claimsFor('a'), secret))).status
    expect([await status(old), await status(next)]).toEqual([200, 401])

    await writeFile(file, `${next}\n`)
    await running.relay.rereadKeys()

    expect([await status(old), await status(next)]).toEqual([401, 200])
  })

  test('that are empty or cannot be read let nothing start', async () => {
    await expect(RunningShellRelay.start({ settings: { SECRET: '   ' } })).rejects.toMatchObject({
      code: 'SECRET_EMPTY',
    })
    await expect(
      RunningShellRelay.start({ settings: { SECRET: '', SECRET_FILES: join(folder, 'none') } }),
    ).rejects.toMatchObject({ code: 'SECRET_FILE_UNREADABLE' })
  })
})

describe('a device', () => {
  async function deviceKey(keyId: string, topics: readonly string[]) {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    const { publicKey, privateKey } = pair as webcrypto.CryptoKeyPair
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    const policy = { topics, scopes: ['host'], maxLifetimeSec: 3600 }
    const file = join(folder, 'keys', `${keyId}.jwk`)
    await mkdir(join(folder, 'keys'), { recursive: true })
    await writeFile(file, JSON.stringify({ ...jwk, kid: keyId, policy }))
    const sign = async (claims: object): Promise<string> =>
      await signTokenWithKey(claims as TokenClaims, privateKey, { algorithm: 'EdDSA', keyId })
    return { file, sign }
  }

  test('is host of its own id, and of no other', async () => {
    const device = await deviceKey('pend00', ['pend00'])
    await using running = await RunningShellRelay.start({ settings: { KEY_DIRECTORY: join(folder, 'keys') } })
    const status = async (id: string, more: object): Promise<number> =>
      (await running.post(id, await device.sign(claimsFor(id, { ...more })))).status

    expect(await status('pend00', {})).toBe(200)
    expect(await status('pend01', {})).toBe(401)
    expect(await status('pend00', { scopes: ['client'] })).toBe(401)
    expect(await status('pend00', { exp: Math.floor(Date.now() / 1000) + 7200 })).toBe(401)
  })

  test('is retired by removing its file: its link ends, and its tokens and codes are worthless', async () => {
    const device = await deviceKey('pend00', ['pend00'])
    await using running = await RunningShellRelay.start({
      settings: { KEY_DIRECTORY: join(folder, 'keys'), KEYS_EVERY: '1h' },
    })
    const address = async (): Promise<string> => {
      const response = await running.post('pend00', await device.sign(claimsFor('pend00')))
      return running.reachable(((await response.json()) as { uri: string }).uri)
    }
    const host = await WebsocketPeer.open(await address(), { isOurs: true })
    const spare = await address()

    await rm(device.file)
    await running.relay.rereadKeys()

    expect(await host.closed).toEqual({ code: 4003, reason: 'key-retired' })
    await expect(WebsocketPeer.open(spare)).rejects.toThrow('refused with 401')
    expect((await running.post('pend00', await device.sign(claimsFor('pend00')))).status).toBe(401)
  })
})
