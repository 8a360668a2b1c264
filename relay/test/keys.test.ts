import type { webcrypto } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '@relay/common/fake-clock'
import { signTokenWithKey, type TokenClaims } from '@relay/common/token/sign-token'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { RunningRelay } from './support/running-relay.ts'
import { claimsFor, mint } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-keys-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('shared secrets', () => {
  test('of several files and lines are valid at once, and can be changed without a restart', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, 'old-secret-old-secret-old-secret-x\n\nother-secret-other-secret-other-sec\n')
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock, settings: { SECRET: '', SECRET_FILES: file } })
    const status = async (secret: string): Promise<number> =>
      (await running.post('t', mint(claimsFor('t'), secret))).status
    expect(await status('old-secret-old-secret-old-secret-x')).toBe(200)
    expect(await status('other-secret-other-secret-other-sec')).toBe(200)
    expect(await status('')).toBe(401)

    await writeFile(file, 'new-secret-new-secret-new-secret-x')

    await expectSoon(async () => {
      await clock.advance(2000)
      return await status('new-secret-new-secret-new-secret-x')
    }).toBe(200)
    expect(await status('old-secret-old-secret-old-secret-x')).toBe(401)
  })

  test('stay as they are while a file cannot be read', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, 'old-secret-old-secret-old-secret-x')
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({ clock, settings: { SECRET: '', SECRET_FILES: file } })
    await rm(file)

    await clock.advance(10_000)

    expect((await running.post('t', mint(claimsFor('t'), 'old-secret-old-secret-old-secret-x'))).status).toBe(
      200,
    )
  })

  test('that cannot be read at the start, or are empty, let nothing start', async () => {
    await expect(
      RunningRelay.start({ settings: { SECRET: '', SECRET_FILES: join(folder, 'none') } }),
    ).rejects.toMatchObject({
      code: 'SECRET_FILE_UNREADABLE',
    })
    await expect(RunningRelay.start({ settings: { SECRET: '   ' } })).rejects.toMatchObject({
      code: 'SECRET_EMPTY',
    })
    await writeFile(join(folder, 'empty'), '  \n')
    await expect(
      RunningRelay.start({ settings: { SECRET: '', SECRET_FILES: join(folder, 'empty') } }),
    ).rejects.toMatchObject({
      code: 'SECRET_EMPTY',
    })
  })
})

describe('a device', () => {
  async function deviceKey(keyId: string, topics: readonly string[]) {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    const { publicKey, privateKey } = pair as webcrypto.CryptoKeyPair
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    const policy = { topics, scopes: ['read', 'write'], maxLifetimeSec: 3600 }
    const file = join(folder, 'keys', `${keyId}.jwk`)
    await mkdir(join(folder, 'keys'), { recursive: true })
    await writeFile(file, JSON.stringify({ ...jwk, kid: keyId, policy }))
    const sign = async (claims: object): Promise<string> =>
      await signTokenWithKey(claims as TokenClaims, privateKey, { algorithm: 'EdDSA', keyId })
    return { file, sign }
  }

  test('joins with a token of its own key, within its policy', async () => {
    const device = await deviceKey('spin30', ['spin30-*'])
    await using running = await RunningRelay.start({ settings: { KEY_DIRECTORY: join(folder, 'keys') } })
    const status = async (topic: string, more: object): Promise<number> =>
      (await running.post(topic, await device.sign(claimsFor(topic, { ...more })))).status

    expect(await status('spin30-data', {})).toBe(200)
    expect(await status('spin31-data', {})).toBe(401)
    expect(await status('spin30-data', { scopes: ['relay:admin'] })).toBe(401)
    expect(await status('spin30-data', { exp: Math.floor(Date.now() / 1000) + 7200 })).toBe(401)
  })

  test('is retired by removing its file: its connections end, its tokens and codes are worthless', async () => {
    const device = await deviceKey('spin30', ['spin30-*'])
    const other = await deviceKey('spin31', ['*'])
    const clock = new FakeClock(Date.now())
    await using running = await RunningRelay.start({
      clock,
      settings: { KEY_DIRECTORY: join(folder, 'keys') },
    })
    const dial = async (sign: typeof device.sign) => {
      const response = await running.post('spin30-data', await sign(claimsFor('spin30-data')))
      const { uri } = (await response.json()) as { uri: string }
      return await Viewer.dial(uri.replace('ws://relay.invalid', `ws://127.0.0.1:${running.ports.relay}`))
    }
    const [live, staying] = [await dial(device.sign), await dial(other.sign)]

    await rm(device.file)
    const ended = live.end()
    await expectSoon(async () => {
      await clock.advance(2000)
      return live.closed !== undefined
    }).toBe(true)

    expect(await ended).toMatchObject({ code: 1008, reason: 'key retired' })
    expect((await running.post('spin30-data', await device.sign(claimsFor('spin30-data')))).status).toBe(401)
    await staying.settle()
    staying.terminate()
  })

  test.each(['key', 'policy'] as const)(
    'loses its connections when another %s stands in its file, but not while that is half written',
    async (what) => {
      const device = await deviceKey('spin30', ['spin30-*'])
      const clock = new FakeClock(Date.now())
      await using running = await RunningRelay.start({
        clock,
        settings: { KEY_DIRECTORY: join(folder, 'keys') },
      })
      const sign = async (): Promise<string> => await device.sign(claimsFor('spin30-data'))
      const { uri } = (await (await running.post('spin30-data', await sign())).json()) as { uri: string }
      const live = await Viewer.dial(
        uri.replace('ws://relay.invalid', `ws://127.0.0.1:${running.ports.relay}`),
      )
      const whole = await readFile(device.file, 'utf8')
      await writeFile(device.file, whole.slice(0, 40))
      for (let round = 0; round < 5; round++) {
        await clock.advance(2000)
        expect((await running.post('spin30-data', await sign())).status).toBe(200)
      }
      expect(live.closed).toBeUndefined()

      if (what === 'key') await deviceKey('spin30', ['spin30-*'])
      else await writeFile(device.file, whole.replace('spin30-*', 'spin30-video'))
      await expectSoon(async () => {
        await clock.advance(2000)
        return live.closed?.reason
      }).toBe('key retired')

      expect((await running.post('spin30-data', await sign())).status).toBe(401)
    },
  )
})
