import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { agentConfigSpec } from '../config.ts'
import { checkInstrumentSettings } from './check-instrument.ts'

function check(settings: string): readonly string[] {
  const { instruments } = loadConfig(agentConfigSpec, {
    file: { path: 'agent.yaml', text: `instruments: [{ name: a, ${settings} }]` },
  })
  return instruments.flatMap((instrument) =>
    checkInstrumentSettings(instrument, '').map(({ pointer, what }) => `${pointer} ${what}`),
  )
}

test.each([
  ['device: "tcp://10.0.0.7"', /^\/device the port is missing/],
  ['device: "ftp://10.0.0.7:1"', /^\/device "ftp:" is no way/],
  ['device: "rfc2217://10.0.0.7:1", dtr: touch1200', /^\/dtr touch1200 needs a serial port/],
  ['device: "tcp://10.0.0.7:1", dtr: pulse', /^\/dtr tcp: has no DTR line/],
  ['device: "replay:/a", dtr: assert', /^\/dtr replay: has no DTR line/],
  ['device: "tcp://10.0.0.7:1", parity: even', /^\/parity a line behind tcp/],
  ['device: /d, recordFile: a.jsonl', /^\/recordFile write the whole path/],
  ['device: "replay:/a", recordFile: /a', /^\/recordFile this is the file/],
  ['device: /d, recordFile: /a, recordSize: 1KiB', /^\/recordSize 64KiB/],
  ['device: "tcp://10.0.0.7:1", rtscts: true', /^\/rtscts a line behind tcp/],
])('%s is wrong', (settings, expected) => {
  const findings = check(settings)

  expect(findings).toHaveLength(1)
  expect(findings[0]).toMatch(expected)
})

test.each([
  'device: /dev/ttyACM0, dtr: touch1200, parity: odd, dataBits: 7, stopBits: 2, rtscts: true',
  'device: "rfc2217://10.0.0.7:1", dtr: pulse, parity: even',
  'device: "tcp://10.0.0.7:1"',
  'device: "replay:/a?loop=true"',
])('%s is right', (settings) => {
  expect(check(settings)).toEqual([])
})
