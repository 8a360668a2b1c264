import { setTimeout as sleep } from 'node:timers/promises'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { Fleet } from './fleet.ts'

/** How the relay went down. */
export type Break = 'restart' | 'kill'

/** How devices came back to a relay that was started again. Times from the moment it went down. */
export interface FleetReturn {
  readonly how: Break
  readonly devices: number
  /** Those whose links, video and data, were all live again. */
  readonly backDevices: number
  readonly firstMs: number
  readonly lastMs: number
  /** Most devices that became whole in any one second. */
  readonly peakDevicesPerSec: number
  readonly peakLinksPerSec: number
  /** How long the relay itself was away. */
  readonly awayMs: number
}

const linksPerDevice = 2
const backWithinMs = 90_000
/** The spread is told with each ping, and the last of those comes 54 s after the last device. */
const settleMs = 60_000

/** One device, or many, lose their relay and come back. */
export async function measureFleetReturn(devices: number, how: Break): Promise<FleetReturn> {
  await using relay = await RelayUnderTest.start()
  await using fleet = await Fleet.start(relay, devices)
  await sleep(devices === 1 ? 6_000 : settleMs)
  const brokenAtMs = performance.now()
  let awayMs = 0
  const returns = await fleet.returns(async () => {
    if (how === 'kill') await relay.kill()
    else await relay.program.stop()
    await relay.start()
    awayMs = performance.now() - brokenAtMs
  }, backWithinMs)
  const whole = wholeDevices(returns)
  const links = returns.map(({ atMs }) => atMs)
  return {
    how,
    devices,
    backDevices: whole.length,
    firstMs: (whole[0] ?? Number.NaN) - brokenAtMs,
    lastMs: (whole.at(-1) ?? Number.NaN) - brokenAtMs,
    peakDevicesPerSec: peakPerSec(whole),
    peakLinksPerSec: peakPerSec(links),
    awayMs,
  }
}

/** When each device had its last link back, in order. Pure. */
function wholeDevices(returns: Awaited<ReturnType<Fleet['returns']>>): readonly number[] {
  const counts = new Map<number, number>()
  const times: number[] = []
  for (const { device, atMs } of returns) {
    const count = (counts.get(device) ?? 0) + 1
    counts.set(device, count)
    if (count === linksPerDevice) times.push(atMs)
  }
  return times
}

/** The most of these moments, in order, that any span of one second holds. Pure. */
export function peakPerSec(times: readonly number[]): number {
  let peak = 0
  let from = 0
  for (const [to, atMs] of times.entries()) {
    while (atMs - (times[from] ?? atMs) >= 1_000) from += 1
    peak = Math.max(peak, to - from + 1)
  }
  return peak
}
