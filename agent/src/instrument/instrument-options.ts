import type { InstrumentConfig } from '../config.ts'
import type { Framing } from './decode-frames.ts'
import type { InstrumentOptions } from './instrument.ts'
import { parseInstrumentAddress } from './instrument-address.ts'
import type { SourceSettings } from './source-of.ts'

/** An instrument as the configuration describes it. Pure. */
export function instrumentOptions(config: InstrumentConfig): InstrumentOptions {
  const { name, feed, device, writeQueue, silentAfter, recordFile, recordSize, recordFiles } = config
  return {
    name,
    feed,
    source: sourceSettings(config),
    framing: framingOf(config),
    writeQueueBytes: writeQueue,
    silentAfterMs: silentAfter,
    recording:
      recordFile === ''
        ? undefined
        : { path: recordFile, maxBytes: recordSize, files: recordFiles, instrument: name, device },
  }
}

function sourceSettings(config: InstrumentConfig): SourceSettings {
  const { device, baudRate, dataBits, parity, stopBits, rtscts, dtr, dtrLow, settle, writeWithin } = config
  const line = { baudRate, dataBits, parity, stopBits, rtscts }
  const reset = { dtr, lowMs: dtrLow, settleMs: settle }
  const parsed = parseInstrumentAddress(device)
  // What is refused has been told by `checkConfig`.
  const address = parsed.ok ? parsed.address : { kind: 'tty' as const }
  if (address.kind === 'tcp' || address.kind === 'rfc2217') {
    const { kind, host, port } = address
    const target = { host, port, address: device }
    return { kind, target, line, reset, writeGraceMs: writeWithin }
  }
  if (address.kind === 'replay') return address
  return { kind: 'tty', device, line, reset, writeGraceMs: writeWithin }
}

function framingOf(config: InstrumentConfig): Framing {
  const { framing, endOfLineIn, endOfLineOut, lengthBytes, lengthOrder, maxMessage } = config
  switch (framing) {
    case 'line':
      return { kind: 'line', endIn: endOfLineIn, endOut: endOfLineOut, maxBytes: maxMessage }
    case 'length':
      return { kind: 'length', prefixBytes: lengthBytes, order: lengthOrder, maxBytes: maxMessage }
    default:
      return { kind: 'raw' }
  }
}
