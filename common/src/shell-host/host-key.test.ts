import { expect, test } from 'vitest'
import { parseHostKey } from './host-key.ts'

/** A key as RFC 4253 6.6 has it: its type, then whatever belongs to it. */
function keyOf(type: string, rest = Buffer.alloc(32, 7)): string {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), rest]).toString('base64')
}
const ed25519 = keyOf('ssh-ed25519')

test('a key comes without its comment, which names the machine', () => {
  expect(parseHostKey(`ssh-ed25519 ${ed25519} root@pend00\n`)).toBe(`ssh-ed25519 ${ed25519}`)
  expect(parseHostKey(`ssh-ed25519\t${ed25519}\r\n`)).toBe(`ssh-ed25519 ${ed25519}`)
})

test.each(['ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521'])('%s is a type of key', (type) => {
  expect(parseHostKey(`${type} ${keyOf(type)}`)).toBe(`${type} ${keyOf(type)}`)
})

test.each([
  ['nothing', ''],
  ['a type alone', 'ssh-ed25519'],
  ['a type that nobody knows', `ssh-made-up ${keyOf('ssh-made-up')}`],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n'],
  ['a key of another type than it says', `ssh-rsa ${ed25519}`],
  ['no base64', 'ssh-ed25519 ****'],
  ['base64 with rubbish behind', `ssh-ed25519 ${ed25519}A=B`],
  ['a key that ends behind its type', `ssh-ed25519 ${keyOf('ssh-ed25519', Buffer.alloc(0))}`],
  ['two lines', `ssh-ed25519 ${ed25519} a\n* ssh-ed25519 ${ed25519}`],
  ['a second line behind the key', `ssh-ed25519 ${ed25519}\n* ssh-ed25519 ${ed25519}`],
  ['a marker of known_hosts', `@cert-authority * ssh-ed25519 ${ed25519}`],
])('is no key: %s', (_name, text) => {
  expect(parseHostKey(text)).toBeUndefined()
})
