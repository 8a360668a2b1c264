import { systemClock } from '@relay/common/clock'
import { randomBytes } from '../src/rig/mutated-bytes.ts'
import { until } from '../src/rig/until.ts'
import type { PlannedFault } from './fault-plan.ts'
import type { LinkState } from './link-forwarder.ts'
import { machineMs } from './machine-ms.ts'
import type { SoakSystem } from './soak-system.ts'

/** When a fault was over. */
export interface Healed {
  /** From here the time of the recovery counts. */
  readonly healedAtMs: number
  /** What was made before this may come from before the fault, and proves nothing. */
  readonly provenAfterMs: number
}

const slowBytesPerSec = 40_000
const lagMs = 150
const babbleEveryMs = 100
const mostBabbleBytes = 600
const newEncoderWithinMs = 40_000

/**
 * Lets one thing go wrong, and takes it away after `holdMs`, or when `signal` aborts. Resolves when it was taken away;
 * what only the agent can mend (its encoder) resolves when that has a successor.
 */
export async function inflictFault(
  system: SoakSystem,
  { kind, holdMs }: PlannedFault,
  { random, signal }: { readonly random: () => number; readonly signal: AbortSignal },
): Promise<Healed> {
  const hold = (): Promise<void> => systemClock.sleep(holdMs, signal)
  const { relay, broker, instrument, link } = system
  const disturb = async (state: LinkState): Promise<Healed> => {
    link.set(state)
    await hold()
    link.set({ kind: 'open' })
    return now()
  }
  switch (kind) {
    case 'relay-kill':
      await relay.kill()
      await hold()
      await relay.start()
      break
    case 'relay-restart':
      await relay.stop()
      await hold()
      await relay.start()
      break
    case 'relay-freeze':
      relay.signal('SIGSTOP')
      await hold()
      relay.signal('SIGCONT')
      break
    case 'encoder-kill':
      return await signalEncoder(system, 'SIGKILL')
    case 'encoder-freeze':
      return await signalEncoder(system, 'SIGSTOP')
    case 'instrument-kill':
      await instrument.kill()
      await hold()
      await instrument.start()
      break
    case 'cable-pull':
      await instrument.cable.pull()
      await hold()
      await instrument.cable.plug()
      break
    case 'garbage':
      await babble(system, holdMs, { random, signal })
      break
    case 'broker-kill':
      await broker.kill()
      await hold()
      await broker.start()
      break
    case 'broker-freeze':
      broker.signal('SIGSTOP')
      await hold()
      broker.signal('SIGCONT')
      break
    case 'partition':
      return await disturb({ kind: 'stalled' })
    case 'link-cut':
      return await disturb({ kind: 'cut' })
    case 'slow-link':
      return await disturb({ kind: 'slow', bytesPerSec: slowBytesPerSec })
    case 'laggy-link':
      return await disturb({ kind: 'laggy', delayMs: lagMs })
  }
  return now()
}

function now(): Healed {
  const nowMs = machineMs()
  return { healedAtMs: nowMs, provenAfterMs: nowMs }
}

/** The agent must notice by itself, so its recovery counts from the beginning. */
async function signalEncoder({ agent }: SoakSystem, signal: 'SIGKILL' | 'SIGSTOP'): Promise<Healed> {
  const pid = await until('an encoder', () => agent.encoder(), { withinMs: newEncoderWithinMs })
  const healedAtMs = machineMs()
  process.kill(pid, signal)
  await until(
    'a new encoder',
    async () => {
      const found = await agent.encoder()
      return found !== undefined && found !== pid
    },
    { withinMs: newEncoderWithinMs },
  )
  return { healedAtMs, provenAfterMs: machineMs() }
}

async function babble(
  { instrument }: SoakSystem,
  forMs: number,
  { random, signal }: { readonly random: () => number; readonly signal: AbortSignal },
): Promise<void> {
  const endAtMs = machineMs() + forMs
  do {
    instrument.babble(randomBytes(1 + Math.floor(random() * mostBabbleBytes), random))
    await systemClock.sleep(babbleEveryMs, signal)
  } while (machineMs() < endAtMs && !signal.aborted)
  // The next line begins on its own.
  instrument.babble(Buffer.from('\n'))
}
