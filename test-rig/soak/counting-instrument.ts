import { systemClock } from '@relay/common/clock'
import { exitCode } from '@relay/common/errors'
import { runMain } from '@relay/common/run-main'
import { SimulatedInstrument } from '../src/instrument/simulated-instrument.ts'
import { runTtyLink } from '../src/instrument/tty-link.ts'
import { CountingPlant } from './counting-plant.ts'

/** `node counting-instrument.ts TTY RUN LINES-PER-SECOND`: the simulated instrument with numbered readings. */
await runMain(async ([tty = '', run = '0', rateHz = '20'], { signal }) => {
  const instrument = new SimulatedInstrument(
    new CountingPlant(Number(run)),
    { rateHz: Number(rateHz), noise: 0, sensorDelayMs: 0 },
    { clock: systemClock, random: Math.random },
  )
  const deps = {
    clock: systemClock,
    random: Math.random,
    onRetry: () => undefined,
    onOpen: () => undefined,
  }
  await Promise.all([instrument.run(signal), runTtyLink(tty, instrument, deps, signal)])
  return exitCode.ok
})
