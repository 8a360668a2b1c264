import type { ReadStream } from 'node:tty'
import { keepConnected, type KeepConnectedDeps, type RetryPolicy } from '@relay/common/keep-connected'
import type { SimulatedInstrument } from './simulated-instrument.ts'
import { streamSink } from './stream-sink.ts'
import { openRawTty } from './raw-tty.ts'

export interface TtyLinkDeps extends KeepConnectedDeps {
  readonly onOpen: () => void
}

/** A cable that is pulled is soon plugged again: look often, a local look costs nothing. */
const policy: RetryPolicy = { minMs: 50, maxMs: 500, stableAfterMs: 1000 }
/** About a second of data at the default rate; a real board has a few hundred bytes. */
const maxQueuedBytes = 4096

/** Connects an instrument to a tty for ever: raw, opened again with backoff after a hangup. Ends when `signal` aborts. */
export async function runTtyLink(
  path: string,
  instrument: SimulatedInstrument,
  deps: TtyLinkDeps,
  signal: AbortSignal,
): Promise<void> {
  await keepConnected((inner) => connectOnce(path, instrument, deps, inner), policy, deps, signal)
}

async function connectOnce(
  path: string,
  instrument: SimulatedInstrument,
  deps: TtyLinkDeps,
  signal: AbortSignal,
): Promise<void> {
  using tty = await openRawTty(path, signal)
  deps.onOpen()
  await attach(tty.stream, instrument, signal)
}

/** Resolves when the other end hangs up or `signal` aborts. */
async function attach(
  stream: ReadStream,
  instrument: SimulatedInstrument,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end)
      instrument.disconnect()
      resolve()
    }
    signal.addEventListener('abort', end, { once: true })
    // A hangup shows as end of file, or as EIO while writing.
    stream.on('error', end).on('end', end).on('close', end)
    stream.on('data', (bytes: Buffer) => instrument.receive(bytes))
    instrument.connect(streamSink(stream, { maxQueuedBytes }))
    if (signal.aborted) end()
  })
}
