import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseInstrumentAddress } from './instrument-address.ts'

test.each([
  ['/dev/ttyACM0', { kind: 'tty', path: '/dev/ttyACM0' }],
  ['/dev/serial/by-id/usb-x:y-if00', { kind: 'tty', path: '/dev/serial/by-id/usb-x:y-if00' }],
  ['tcp://10.0.0.7:4001', { kind: 'tcp', host: '10.0.0.7', port: 4001 }],
  ['tcp://[::1]:4001/', { kind: 'tcp', host: '::1', port: 4001 }],
  ['RFC2217://box.lab:23', { kind: 'rfc2217', host: 'box.lab', port: 23 }],
  ['replay:/var/a%20b.jsonl', { kind: 'replay', path: '/var/a b.jsonl', speed: 1, isLoop: false }],
  ['replay:/a?speed=2.5&loop=true', { kind: 'replay', path: '/a', speed: 2.5, isLoop: true }],
])('%s is understood', (text, address) => {
  expect(parseInstrumentAddress(text)).toEqual({ ok: true, address })
})

test.each([
  ['tcp://10.0.0.7', /port is missing/],
  ['tcp:10.0.0.7:4001', /tcp:\/\/host:port/],
  ['tcp://10.0.0.7:70000', /tcp:\/\/host:port/],
  ['rfc2217://:4001', /rfc2217:\/\/host:port/],
  ['rfc2217://a:1/baud=9600', /rfc2217:\/\/host:port/],
  ['rfc2217://user:hidden@a:1', /cannot log in/],
  ['http://a:1', /"http:" is no way/],
  ['replay:a.jsonl', /replay:\/path/],
  ['replay:/a?sped=2', /"sped" is unknown/],
  ['replay:/a?speed=0', /speed is a number/],
  ['replay:/a?loop=yes', /loop is true or false/],
])('%s is refused with one sentence', (text, expected) => {
  const parsed = parseInstrumentAddress(text)

  expect(parsed.ok ? '' : parsed.refusal).toMatch(expected)
})

test('a refusal never holds a password', () => {
  const parsed = parseInstrumentAddress('tcp://user:hidden@a')

  expect(JSON.stringify(parsed)).not.toContain('hidden')
})

test('every text is either understood or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((rest) => `rfc2217://${rest}`),
      ),
      (text) => {
        const parsed = parseInstrumentAddress(text)
        expect(parsed.ok || parsed.refusal.length > 0).toBe(true)
      },
    ),
  )
})
