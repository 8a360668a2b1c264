import type { Clock } from '@relay/common/clock'
import { findProgram } from './find-program.ts'
import { runTool } from './run-tool.ts'
import type { UsbLocation } from './usb-location.ts'

export interface UsbRecoveryDeps {
  /** `PATH` of the environment. */
  readonly searchPath: string | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
}

export type UsbRecoveryResult =
  | { readonly ok: true }
  /** One clause that says what is missing, for people. */
  | { readonly ok: false; readonly code: 'USB_RESET_FAILED' | 'PORT_POWER_FAILED'; readonly reason: string }

const resetTimeoutMs = 10_000
/** With two seconds without power in it. */
const powerTimeoutMs = 20_000

/**
 * Resets one device on its bus (`USBDEVFS_RESET`), which disturbs nothing else. It needs to be allowed to write to the
 * node below `/dev/bus/usb`, and the program usbreset. Ends within 11 s, never rejects.
 */
export async function resetUsbDevice(
  { busNumber, deviceNumber }: UsbLocation,
  { searchPath, clock, signal }: UsbRecoveryDeps,
): Promise<UsbRecoveryResult> {
  const failed = (reason: string) => ({ ok: false, code: 'USB_RESET_FAILED', reason }) as const
  const file = findProgram('usbreset', searchPath)
  if (file === undefined) return failed('the program usbreset is not installed ("apt install usbutils")')
  const address = [busNumber, deviceNumber].map((number) => String(number).padStart(3, '0')).join('/')
  const result = await runTool({ file, args: [address] }, { timeoutMs: resetTimeoutMs, clock, signal })
  // It exits with 0 whatever happens.
  if (result.outcome === 'ended' && /\bok\s*$/.test(result.stdout)) return { ok: true }
  return failed(
    `usbreset ${address} ${explain(result)}; the agent must be allowed to write to /dev/bus/usb/${address}`,
  )
}

/**
 * Switches the power of the device's port off and on (uhubctl), where the hub can do that. Many hubs switch all their
 * ports at once: with anything else on the hub (`siblings`) it is refused, unless `sharedHub` allows it. Ends within 21 s, never
 * rejects.
 */
export async function cyclePortPower(
  { hub, port }: UsbLocation,
  { siblings, sharedHub }: { readonly siblings: readonly string[]; readonly sharedHub: boolean },
  { searchPath, clock, signal }: UsbRecoveryDeps,
): Promise<UsbRecoveryResult> {
  const failed = (reason: string) => ({ ok: false, code: 'PORT_POWER_FAILED', reason }) as const
  if (siblings.length > 0 && !sharedHub)
    return failed(
      `other devices (${siblings.slice(0, 8).join(', ')}) hang on hub ${hub} and might lose their power too; recovery.sharedHub allows it`,
    )
  const file = findProgram('uhubctl', searchPath)
  if (file === undefined) return failed('the program uhubctl is not installed ("apt install uhubctl")')
  const args = ['-l', hub, '-p', String(port), '-a', 'cycle', '-d', '2']
  const result = await runTool({ file, args }, { timeoutMs: powerTimeoutMs, clock, signal })
  if (result.outcome === 'ended' && result.exitCode === 0) return { ok: true }
  return failed(`uhubctl for port ${port} of hub ${hub} ${explain(result)}`)
}

function explain(result: Awaited<ReturnType<typeof runTool>>): string {
  if (result.outcome !== 'ended')
    return result.outcome === 'timed out' ? 'gave no answer in time' : `was ${result.outcome}`
  const last = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '')
  return `said: ${(last ?? 'nothing').slice(0, 200)}`
}
