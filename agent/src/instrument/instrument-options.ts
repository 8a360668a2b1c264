import type { InstrumentConfig } from '../config.ts'
import type { Framing } from './decode-frames.ts'
import type { InstrumentOptions } from './instrument.ts'

/** An instrument as the configuration describes it. Pure. */
export function instrumentOptions(config: InstrumentConfig): InstrumentOptions {
  const { name, feed, device, baudRate, dtr, settle, writeQueue } = config
  return {
    name,
    feed,
    serial: { device, baudRate, dtr, settleMs: settle },
    framing: framingOf(config),
    writeQueueBytes: writeQueue,
  }
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
