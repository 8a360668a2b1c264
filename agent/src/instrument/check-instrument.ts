import type { InstrumentConfig } from '../config.ts'
import type { Finding } from '../check-config.ts'
import { parseInstrumentAddress } from './instrument-address.ts'

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
  return findings
}
