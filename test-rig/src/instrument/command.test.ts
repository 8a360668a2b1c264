import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCommand } from './command.ts'
import { Pendulum } from './pendulum.ts'

const { controls } = new Pendulum()

describe('commands', () => {
  test.each([
    ['{"cmd":"set","param":"target","value":1.5}', { kind: 'set', param: 'target', value: 1.5 }],
    ['{"cmd":"start"}', { kind: 'start' }],
    ['{"cmd":"stop"}', { kind: 'stop' }],
    ['{"cmd":"rate","hz":50}', { kind: 'rate', hz: 50 }],
    ['{"cmd":"ping","id":7}', { kind: 'ping', id: 7 }],
    ['{"cmd":"ping","id":"seven"}', { kind: 'ping', id: 'seven' }],
    ['{"cmd":"describe"}', { kind: 'describe' }],
  ])('%s is understood', (line, command) => {
    expect(parseCommand(line, controls)).toEqual({ ok: true, command })
  })

  test.each([
    ['hello', 'expected a JSON object such as {"cmd":"ping","id":1}'],
    ['[1]', 'expected a JSON object such as {"cmd":"ping","id":1}'],
    ['null', 'expected a JSON object such as {"cmd":"ping","id":1}'],
    ['{}', '"cmd" is missing: use set, start, stop, rate, ping or describe'],
    ['{"cmd":"fly"}', 'unknown cmd "fly": use set, start, stop, rate, ping or describe'],
    [
      '{"cmd":"set","param":"mass","value":1}',
      'unknown param "mass": use one of target, drive, frequency, damping',
    ],
    ['{"cmd":"set","value":1}', 'unknown param nothing: use one of target, drive, frequency, damping'],
    ['{"cmd":"set","param":"target","value":9}', 'target must be a number from -3 to 3 rad, not 9'],
    [
      '{"cmd":"set","param":"target","value":1e999}',
      'target must be a number from -3 to 3 rad, not Infinity',
    ],
    ['{"cmd":"set","param":"target","value":"1"}', 'target must be a number from -3 to 3 rad, not "1"'],
    ['{"cmd":"set","param":"target"}', 'target must be a number from -3 to 3 rad, not nothing'],
    ['{"cmd":"rate","hz":0}', 'hz must be a number from 0.1 to 200, not 0'],
    ['{"cmd":"rate"}', 'hz must be a number from 0.1 to 200, not nothing'],
    ['{"cmd":"ping"}', 'id of a ping must be a number or a text of at most 64 characters'],
    ['{"cmd":"ping","id":1e999}', 'id of a ping must be a number or a text of at most 64 characters'],
  ])('%s is refused in one sentence', (line, error) => {
    expect(parseCommand(line, controls)).toEqual({ ok: false, error })
  })

  test('an answer carries back no more than a short piece of what was sent', () => {
    const parsed = parseCommand(JSON.stringify({ cmd: 'x'.repeat(400) }), controls)

    expect(parsed.ok ? '' : parsed.error).toMatch(/^unknown cmd "x{39}\.\.\.:/)
  })

  test('whatever the line, the answer is a command in range or a sentence', () => {
    const almost = fc
      .record(
        {
          cmd: fc.constantFrom('set', 'rate', 'ping', 'start', 'nope'),
          param: fc.oneof(fc.constantFrom('target', 'drive', '__proto__', 'toString'), fc.jsonValue()),
          value: fc.jsonValue(),
          hz: fc.jsonValue(),
          id: fc.jsonValue(),
        },
        { requiredKeys: ['cmd'] },
      )
      .map((message) => JSON.stringify(message))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), almost), (line) => {
        const parsed = parseCommand(line, controls)
        if (!parsed.ok) return parsed.error.length > 0 && parsed.error.length < 200
        const { command } = parsed
        if (command.kind === 'set') return command.value >= -3 && command.value <= 3
        if (command.kind === 'rate') return command.hz >= 0.1 && command.hz <= 200
        return true
      }),
    )
  })
})
