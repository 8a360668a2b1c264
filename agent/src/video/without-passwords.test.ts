import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutPasswords } from './without-passwords.ts'

test.each([
  [
    'rtsp://user:secret@cam.example/1: Connection refused',
    'rtsp://(removed)@cam.example/1: Connection refused',
  ],
  ["from 'rtsp://admin:p@ss@cam/1':", "from 'rtsp://(removed)@cam/1':"],
  ['http://cam/video?user=a&pwd=secret: 401', 'http://cam/video?(removed): 401'],
  ['rtsp://cam:554/user=admin_password=secret_channel=1.sdp failed', 'rtsp://cam:554/user=(removed) failed'],
  ['http://cam/login/passwd=secret;x', 'http://cam/login/passwd=(removed)'],
  ['rtsp://a:secret@one and rtsp://b:secret@two', 'rtsp://(removed)@one and rtsp://(removed)@two'],
  [
    '[tcp @ 0x5576] Connection to tcp://127.0.0.1:9 failed',
    '[tcp @ 0x5576] Connection to tcp://127.0.0.1:9 failed',
  ],
  ['is this /dev/video0? It is', 'is this /dev/video0? It is'],
])('of %s is left %s', (text, left) => {
  expect(withoutPasswords(text)).toBe(left)
})

test('whatever stands around it, a password within an address is cut out', () => {
  const password = fc.stringMatching(/^[A-Za-z0-9@:&_+.-]{1,20}$/).map((text) => `X${text}X`)
  const address = password.chain((secret) =>
    fc.constantFrom(
      [secret, `rtsp://admin:${secret}@cam/1`] as const,
      [secret, `http://cam/1?password=${secret}`] as const,
      [secret, `rtsp://cam/user=a&password=${secret}&channel=1`] as const,
    ),
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z :]{0,10}$/), address, (before, [secret, text]) => {
      expect(withoutPasswords(`${before} ${text}: refused`)).not.toContain(secret)
    }),
  )
})
