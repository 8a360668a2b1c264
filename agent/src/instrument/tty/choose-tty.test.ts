import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseTty, strangerAfterMs, type TtyFacts } from './choose-tty.ts'
import { findAgain, type FoundTty, isUsbTtyName, type UsbIdentity } from './usb-identity.ts'

const nano: UsbIdentity = { vendor: '2341', product: '8057', serial: 'A1', port: '00.', socket: '1-1.2' }
const other: UsbIdentity = { ...nano, serial: 'B2', socket: '1-1.3' }
const ch340: UsbIdentity = { vendor: '1a86', product: '7523', serial: '', port: '00.', socket: '1-1.4' }
const facts: TtyFacts = { name: 'ttyACM0', isThere: true, known: nano, ttys: [], awayMs: 500 }
const found = (name: string, identity: UsbIdentity): FoundTty => ({ name, identity })

test.each<[string, Partial<TtyFacts>, ReturnType<typeof chooseTty>]>([
  ['the first time the name counts', { known: undefined }, { kind: 'open', name: 'ttyACM0' }],
  ['and is missing where it is not', { known: undefined, isThere: false }, { kind: 'missing' }],
  ['the same device is opened', { ttys: [found('ttyACM0', nano)] }, { kind: 'open', name: 'ttyACM0' }],
  [
    'under its new name too',
    { isThere: false, ttys: [found('ttyACM1', nano)] },
    { kind: 'open', name: 'ttyACM1' },
  ],
  [
    'also where another board has taken its name',
    { ttys: [found('ttyACM0', other), found('ttyACM1', nano)] },
    { kind: 'open', name: 'ttyACM1' },
  ],
  [
    'and in another socket, when its serial number tells it',
    { isThere: false, ttys: [found('ttyACM3', { ...nano, socket: '2-1' })] },
    { kind: 'open', name: 'ttyACM3' },
  ],
  ['a stranger under the name waits', { ttys: [found('ttyACM0', other)] }, { kind: 'stranger' }],
  [
    'and is taken for an exchange in the end',
    { ttys: [found('ttyACM0', other)], awayMs: strangerAfterMs },
    { kind: 'open', name: 'ttyACM0' },
  ],
  ['away is away', { isThere: false, ttys: [found('ttyACM1', other)] }, { kind: 'missing' }],
])('%s', (_case, changes, expected) => {
  expect(chooseTty({ ...facts, ...changes })).toEqual(expected)
})

describe('a device is found again', () => {
  test('in its socket, where it has no serial number', () => {
    const elsewhere = found('ttyUSB0', { ...ch340, socket: '1-1.1' })

    expect(findAgain(ch340, [elsewhere, found('ttyUSB1', ch340)])?.name).toBe('ttyUSB1')
    expect(findAgain(ch340, [elsewhere])).toBeUndefined()
  })

  test('in its socket, where the maker gave all the same serial number', () => {
    const twin = { ...nano, socket: '1-1.3' }

    expect(findAgain(nano, [found('ttyACM1', twin), found('ttyACM2', nano)])?.name).toBe('ttyACM2')
    expect(findAgain({ ...nano, socket: '9-9' }, [found('a', twin), found('b', nano)])).toBeUndefined()
  })

  test('by the port, where a device has several', () => {
    const second = { ...nano, port: '02.' }

    expect(findAgain(second, [found('ttyACM0', nano), found('ttyACM1', second)])?.name).toBe('ttyACM1')
  })

  test('never in one of another maker, product, number or port', () => {
    const identity = fc.record({
      vendor: fc.constantFrom('1', '2'),
      product: fc.constantFrom('1', '2'),
      serial: fc.constantFrom('', 'x', 'y'),
      port: fc.constantFrom('00.', '02.'),
      socket: fc.constantFrom('1-1', '1-2'),
    })
    fc.assert(
      fc.property(identity, fc.array(identity, { maxLength: 5 }), (known, identities) => {
        const { socket: _socket, ...wanted } = known
        const again = findAgain(
          known,
          identities.map((one, index) => found(`ttyACM${index}`, one)),
        )
        fc.pre(again !== undefined)
        expect(again?.identity).toMatchObject(known.serial === '' ? known : wanted)
      }),
    )
  })
})

test('only names that the kernel deals out can change', () => {
  expect(['ttyACM0', 'ttyUSB12', 'ttyS0', 'ttyAMA0', 'board', 'ttyACM'].map(isUsbTtyName)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})
