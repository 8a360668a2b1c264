import { expect, test } from 'vitest'
import { judgeSerial, type PortFacts } from './serial-ports.ts'

const device = '/dev/serial/by-id/usb-Arduino_Nano-if00'
const right: PortFacts = {
  name: 'board',
  device,
  user: { name: 'relay-agent', uid: 990, gids: new Set([20]), isStandIn: false },
  file: { kind: 'character', mode: 0o660, uid: 0, gid: 20, sizeBytes: 0 },
  realPath: '/dev/ttyACM0',
  holders: [],
  isConsole: false,
}
const judge = (facts: Partial<PortFacts>, meddlers: readonly string[] = []): readonly string[] =>
  judgeSerial({ ports: [{ ...right, ...facts }], connected: [device], meddlers }).map(
    ({ level, what }) => `${level}: ${what}`,
  )

test('a port that is there and may be used is all right', () => {
  expect(judge({})).toEqual([`ok: board: ${device} is there and may be used`])
})

test.each<[Partial<PortFacts>, RegExp]>([
  [
    { file: undefined, realPath: undefined },
    /^problem: the serial port of board, .* is not there; connected: /,
  ],
  [{ file: { ...right.file!, kind: 'file' } }, /^problem: board: .* is no device/],
  [
    { user: { ...right.user, gids: new Set() } },
    /^problem: board: the user relay-agent may not read and write \/dev\/ttyACM0/,
  ],
  [
    { holders: [{ pid: 7, name: 'socat', isOurs: false }] },
    /^problem: board: \/dev\/ttyACM0 is used by socat \(7\)/,
  ],
  [{ isConsole: true }, /^problem: board: .* is the console/],
  [{ device: '/dev/ttyUSB0' }, /^warning: board: \/dev\/ttyUSB0 is a name that changes/],
])('%j is told', (facts, what) => {
  expect(judge(facts)).toContainEqual(expect.stringMatching(what))
})

test('services that open ports of strangers are a warning', () => {
  expect(judge({}, ['ModemManager.service', 'brltty.service'])).toEqual([
    expect.stringMatching(/^ok/),
    expect.stringMatching(/^warning: ModemManager.service runs.*modems/),
    expect.stringMatching(/^warning: brltty.service runs.*Braille/),
  ])
})
