import type { LineSink } from './simulated-instrument.ts'

/** The part of a writable stream that lines need. */
export interface LineStream {
  readonly writable: boolean
  /** Bytes written and not yet taken. */
  readonly writableLength?: number
  write(text: string): unknown
}

/** A stream as the place where lines go: over `maxQueuedBytes` not yet taken, a line is dropped (the sink says so). */
export function streamSink(
  stream: LineStream,
  { maxQueuedBytes }: { readonly maxQueuedBytes: number },
): LineSink {
  return (line) => {
    if (!stream.writable || (stream.writableLength ?? 0) > maxQueuedBytes) return false
    stream.write(`${line}\n`)
    return true
  }
}
