import { isAbsolute } from 'node:path'
import type { InstrumentConfig } from '../config.ts'
import type { Finding } from '../check-config.ts'
import { type InstrumentAddress, parseInstrumentAddress } from './instrument-address.ts'

/** What does not fit together in the settings of one instrument. Pure. */
export function checkInstrumentSettings(instrument: InstrumentConfig, pointer: string): readonly Finding[] {
  const parsed = parseInstrumentAddress(instrument.device)
  if (!parsed.ok) return [{ pointer: `${pointer}/device`, what: parsed.refusal }]
  const { kind } = parsed.address
  const findings: Finding[] = []
  const { dtr, parity, dataBits, stopBits, rtscts } = instrument
  if (dtr === 'touch1200' && kind !== 'tty')
    findings.push({ pointer: `${pointer}/dtr`, what: 'touch1200 needs a serial port of this machine' })
  else if (dtr !== 'leave' && (kind === 'tcp' || kind === 'replay'))
    findings.push({
      pointer: `${pointer}/dtr`,
      what: `${kind}: has no DTR line; only leave is possible${kind === 'tcp' ? ', or rfc2217:// where the server knows it' : ''}`,
    })
  const isSet = { parity: parity !== 'none', dataBits: dataBits !== 8, stopBits: stopBits !== 1, rtscts }
  if (kind === 'tcp')
    for (const [key, isOther] of Object.entries(isSet))
      if (isOther)
        findings.push({
          pointer: `${pointer}/${key}`,
          what: 'a line behind tcp:// is set at its server; rfc2217:// can set it from here, where the server knows it',
        })
  findings.push(...checkRecording(instrument, parsed.address, pointer))
  return findings
}

const leastRecordBytes = 65_536

function checkRecording(
  { recordFile, recordSize }: InstrumentConfig,
  address: InstrumentAddress,
  pointer: string,
): readonly Finding[] {
  if (recordFile === '') return []
  const findings: Finding[] = []
  if (!isAbsolute(recordFile))
    findings.push({
      pointer: `${pointer}/recordFile`,
      what: 'write the whole path, such as /var/lib/relay-agent/board.jsonl',
    })
  if (address.kind === 'replay' && address.path === recordFile)
    findings.push({ pointer: `${pointer}/recordFile`, what: 'this is the file that is replayed' })
  if (recordSize < leastRecordBytes)
    findings.push({ pointer: `${pointer}/recordSize`, what: '64KiB is the least: a line may be as long' })
  return findings
}
