import type { InstrumentConfig } from '../config.ts'
import type { Framing } from './decode-frames.ts'
import type { InstrumentOptions } from './instrument.ts'
import type { SourceSettings } from './source-of.ts'

/** An instrument as the configuration describes it. Pure. */
export function instrumentOptions(config: InstrumentConfig): InstrumentOptions {
  const { name, feed, writeQueue, silentAfter } = config
  return {
    name,
    feed,
    source: sourceSettings(config),
    framing: framingOf(config),
    writeQueueBytes: writeQueue,
    silentAfterMs: silentAfter,
  }
}

function sourceSettings(config: InstrumentConfig): SourceSettings {
  const { device, baudRate, dataBits, parity, stopBits, rtscts, dtr, dtrLow, settle, writeWithin } = config
  const line = { baudRate, dataBits, parity, stopBits, rtscts }
  const reset = { dtr, lowMs: dtrLow, settleMs: settle }
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
