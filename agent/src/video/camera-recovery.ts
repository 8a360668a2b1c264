import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Fault } from '@relay/common/fault'
import { nextRecoveryStep, type RecoveryStep } from './recovery-step.ts'
import type { UsbLocation } from './usb-location.ts'
import type { UsbRecoveryResult } from './usb-recovery.ts'

export interface CameraRecoveryOptions {
  /** Name of the camera, for the log. */
  readonly camera: string
  readonly upTo: RecoveryStep
  readonly locate: () => UsbLocation | undefined
  readonly resetUsb: (location: UsbLocation, signal: AbortSignal) => Promise<UsbRecoveryResult>
  readonly cyclePower: (location: UsbLocation, signal: AbortSignal) => Promise<UsbRecoveryResult>
}

export interface RecoveryStatus {
  readonly usbResets: number
  readonly powerCycles: number
  /** Why the last of them could not be done. */
  readonly fault: Fault | undefined
}

/** A camera that was well for so long is out of trouble; some fail again and again after their first pictures. */
const wellAfterMs = 15_000
/** After so long earlier resets count no more. */
const healthyAfterMs = 600_000
/** A reset helps against these; not against a wrong setting or a program that is missing. */
const helpedByReset = new Set([
  'CAMERA_FROZEN',
  'CAMERA_LOST',
  'CAMERA_MISSING',
  'CAMERA_BUSY',
  'ENCODER_ENDED',
  'ENCODER_STALLED',
  'ENCODER_STUCK',
])
/** The longest of the steps, with its tools. */
export const longestStepMs = 25_000

/** Remembers what was tried for one camera, and does what `nextRecoveryStep` decides. */
export class CameraRecovery {
  readonly #options: CameraRecoveryOptions
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  #location: UsbLocation | undefined
  #failures = 0
  #troubleSinceMs: number | undefined
  #liveSinceMs: number | undefined
  /** Since the camera was well for long. */
  #recent = { resets: 0, powerCycles: 0 }
  #total = { usbResets: 0, powerCycles: 0 }
  #lastResetAtMs: number | undefined
  #lastPowerCycleAtMs: number | undefined
  #fault: Fault | undefined

  constructor(options: CameraRecoveryOptions, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options
    this.#deps = deps
  }

  get status(): RecoveryStatus {
    return { ...this.#total, fault: this.#fault }
  }

  /** It gives a picture that is not frozen: asked at each look. */
  isWell(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    // Where it hangs must be known before it falls off the bus.
    if (this.#liveSinceMs === undefined) this.#findLocation()
    this.#liveSinceMs ??= nowMs
    if (nowMs - this.#liveSinceMs < wellAfterMs) return
    this.#troubleSinceMs = undefined
    this.#failures = 0
    if (nowMs - this.#liveSinceMs < healthyAfterMs) return
    this.#recent = { resets: 0, powerCycles: 0 }
    this.#fault = undefined
  }

  /** Takes note of a failure and does what helps before the next start; ends within `longestStepMs`, never rejects. */
  async afterFailure(code: string | undefined, isPresent: boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    const nowMs = clock.monotonicMs()
    this.#liveSinceMs = undefined
    this.#troubleSinceMs ??= nowMs
    if (code === undefined || !helpedByReset.has(code)) return
    this.#failures += 1
    const step = nextRecoveryStep({
      upTo: this.#options.upTo,
      nowMs,
      troubleSinceMs: this.#troubleSinceMs,
      failures: this.#failures,
      isPresent,
      resets: this.#recent.resets,
      lastResetAtMs: this.#lastResetAtMs,
      powerCycles: this.#recent.powerCycles,
      lastPowerCycleAtMs: this.#lastPowerCycleAtMs,
    })
    if (step === 'restart') return
    if (isPresent) this.#findLocation()
    await (step === 'usb-reset' ? this.#resetUsb(nowMs, signal) : this.#cyclePower(nowMs, signal))
  }

  /** Of a camera that is gone the last known place is kept. */
  #findLocation(): void {
    if (this.#options.upTo !== 'restart') this.#location = this.#options.locate() ?? this.#location
  }

  async #resetUsb(nowMs: number, signal: AbortSignal): Promise<void> {
    this.#lastResetAtMs = nowMs
    this.#recent.resets += 1
    const result = await this.#at('USB_RESET_FAILED', (location) => this.#options.resetUsb(location, signal))
    if (this.#tell('usb reset', result)) this.#total.usbResets += 1
  }

  async #cyclePower(nowMs: number, signal: AbortSignal): Promise<void> {
    this.#lastPowerCycleAtMs = nowMs
    this.#recent.powerCycles += 1
    const result = await this.#at('PORT_POWER_FAILED', (location) =>
      this.#options.cyclePower(location, signal),
    )
    if (this.#tell('port power', result)) this.#total.powerCycles += 1
  }

  async #at(
    code: 'USB_RESET_FAILED' | 'PORT_POWER_FAILED',
    step: (location: UsbLocation) => Promise<UsbRecoveryResult>,
  ): Promise<UsbRecoveryResult> {
    if (this.#location !== undefined) return await step(this.#location)
    return { ok: false, code, reason: 'the camera was never seen on the USB' }
  }

  /** True where it could be done. */
  #tell(step: string, result: UsbRecoveryResult): boolean {
    const { clock, log } = this.#deps
    const facts = { camera: this.#options.camera, step, usb: this.#location?.name }
    if (result.ok) {
      this.#fault = undefined
      log.warn(facts, 'camera was reset, as restarts of its encoder did not help')
      return true
    }
    const { code, reason } = result
    this.#fault = { code, message: reason, atMs: clock.nowMs() }
    log.warn({ ...facts, code, reason }, 'camera cannot be reset')
    return false
  }
}
