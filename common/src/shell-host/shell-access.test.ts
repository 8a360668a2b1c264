import { expect, test } from 'vitest'
import { parseShellAccess } from './shell-access.ts'

test.each([
  ['https://relay.example.org/shell/pend00', 'pend00'],
  ['https://relay.example.org/ed0/shell-access/shell/pend00/', 'pend00'],
  ['http://127.0.0.1:8080/shell/pend00?x=1', 'pend00'],
  ['https://app.example.org/ed0/jump/api/api/v1/connect/spin30', 'spin30'],
  ['https://relay.example.org/shell/a%2Fb', 'a/b'],
  [' https://relay.example.org/shell/shell \n', 'shell'],
])('%s is the session address of %s', (address, id) => {
  expect(parseShellAccess(address)).toMatchObject({ id })
})

test('what is shown has no query', () => {
  expect(parseShellAccess('https://relay.example.org/shell/pend00?code=1')).toMatchObject({
    shown: 'https://relay.example.org/shell/pend00',
  })
})

test.each([
  ['', /http or https/],
  ['relay.example.org/shell/pend00', /http or https/],
  ['wss://relay.example.org/shell/pend00', /http or https/],
  ['https://user:word@relay.example.org/shell/pend00', /user name or password/],
  ['https://relay.example.org/session/pend00', /\/shell\/<id>/],
  ['https://relay.example.org/shell/', /\/shell\/<id>/],
  ['https://relay.example.org/shell/%zz', /\/shell\/<id>/],
])('%s is none, and the sentence does not show it', (address, why) => {
  const flaw = parseShellAccess(address)
  expect(flaw).toMatch(why)
  expect(flaw).not.toContain('word@')
})
