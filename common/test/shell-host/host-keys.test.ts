import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readDeviceKey } from '../../src/shell-host/device-key.ts'
import { hostKeysMessage } from '../../src/shell-host/host-keys-message.ts'
import { readHostKeys } from '../../src/shell-host/read-host-keys.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text)

function makeKey(type: string, name: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'root@pend00', '-f', join(folder, name)])
  return readFileSync(join(folder, `${name}.pub`), 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ')
}

describe('the keys of a folder', () => {
  test('are those of ssh-keygen, in the order of their names and without comment', async () => {
    const ed25519 = makeKey('ed25519', 'ssh_host_ed25519_key')
    const ecdsa = makeKey('ecdsa', 'ssh_host_ecdsa_key')
    const rsa = makeKey('rsa', 'ssh_host_rsa_key')

    expect(await readHostKeys(folder)).toEqual({ keys: [ecdsa, ed25519, rsa], problems: [] })
  })

  test('are none of the other files there, and a wrong one is told', async () => {
    const ed25519 = makeKey('ed25519', 'ssh_host_ed25519_key')
    put('ssh_host_rsa_key.pub', 'being written')
    put('sshd_config', 'Port 22')

    expect(await readHostKeys(folder)).toEqual({
      keys: [ed25519],
      problems: [`${folder}/ssh_host_rsa_key.pub is no public key of ssh`],
    })
  })

  test('are no more than fit into a message', async () => {
    makeKey('ed25519', 'ssh_host_ed25519_key')
    const text = readFileSync(join(folder, 'ssh_host_ed25519_key.pub'))
    for (let number = 0; number < 40; number += 1) put(`ssh_host_${number}_key.pub`, text.toString())
    const { keys } = await readHostKeys(folder)

    expect(keys).toHaveLength(16)
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
    put('device.jwk', JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'pend00' }))
    const deviceKey = await readDeviceKey(join(folder, 'device.jwk'))
    const message = await hostKeysMessage({ id: 'x'.repeat(128), keys, deviceKey, nowMs: 0 })
    expect(message.length).toBeLessThan(16_384)
  })

  test('are missing where the folder is, which is told', async () => {
    expect(await readHostKeys(join(folder, 'none'))).toMatchObject({
      keys: [],
      problems: [expect.stringContaining('ENOENT')],
    })
  })
})

describe('a device key', () => {
  test.each(['EdDSA', 'ES256'])(
    'signs the keys so that its public half verifies them: %s',
    async (algorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
      put('device.jwk', JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'pend00', use: 'sig' }))

      const deviceKey = await readDeviceKey(join(folder, 'device.jwk'))
      const message = await hostKeysMessage({
        id: 'pend00',
        keys: ['ssh-ed25519 AAAA'],
        deviceKey,
        nowMs: 1_700_000_000_999,
      })
      const { type, keys, signed } = JSON.parse(message) as { type: string; keys: string[]; signed: string }

      expect({ type, keys }).toEqual({ type: 'host-keys', keys: ['ssh-ed25519 AAAA'] })
      const key = await importJWK(await exportJWK(publicKey), algorithm)
      const { payload, protectedHeader } = await compactVerify(signed, key)
      expect(protectedHeader).toEqual({ alg: algorithm, kid: 'pend00' })
      expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
        id: 'pend00',
        keys: ['ssh-ed25519 AAAA'],
        iat: 1_700_000_000,
      })
    },
  )

  test('is not needed: the keys go out unsigned', async () => {
    const message = await hostKeysMessage({ id: 'pend00', keys: [], deviceKey: undefined, nowMs: 0 })
    expect(JSON.parse(message)).toEqual({ type: 'host-keys', keys: [] })
  })

  test.each([
    ['is missing', undefined, 'DEVICE_KEY_MISSING', /does not exist/],
    ['is no JSON', '{"d":"topsecret', 'DEVICE_KEY_WRONG', /no JSON object/],
    ['has no kid', '{"kty":"OKP","crv":"Ed25519","x":"a","d":"topsecret"}', 'DEVICE_KEY_WRONG', /"kid"/],
    ['is a public one', '{"kty":"OKP","crv":"Ed25519","x":"a","kid":"k"}', 'DEVICE_KEY_WRONG', /"d"/],
    ['is of another kind', '{"kty":"RSA","n":"a","d":"topsecret","kid":"k"}', 'DEVICE_KEY_WRONG', /neither/],
    [
      'is broken',
      '{"kty":"OKP","crv":"Ed25519","x":"a","d":"topsecret","kid":"k"}',
      'DEVICE_KEY_WRONG',
      /read/,
    ],
  ])('that %s is told without what stands in it', async (_name, text, code, why) => {
    if (text !== undefined) put('device.jwk', text)
    const fault: unknown = await readDeviceKey(join(folder, 'device.jwk')).catch((error: unknown) => error)

    expect(fault).toMatchObject({ code })
    expect((fault as Error).message).toMatch(why)
    expect(String((fault as Error).stack)).not.toContain('topsecret')
  })
})
