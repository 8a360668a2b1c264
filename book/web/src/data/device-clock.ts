/** The best guess of the offset may creep up by this share of time, so that a drifting device clock is followed. */
const driftShare = 0.001
/** Samples that seem later than this … */
const lateMs = 2000
/** … for so long show that the device's `t` does not run in milliseconds. */
const lateForMs = 5000

/**
 * Puts the instrument's own time stamps (`t`, milliseconds since some start) on the page's clock, so that the chart
 * shows the motion of the instrument and not the jitter of the network: the sample that travelled fastest tells the
 * offset. Falls back to the time of arrival where there is no `t`, or one that does not run in milliseconds.
 */
export class DeviceClock {
  #offsetMs: number | undefined
  #lastDeviceMs = 0
  #lastArrivalMs = 0
  #lateSinceMs: number | undefined
  #trusted = true

  /** When the sample was taken, on the clock of `arrivalMs`; never later than that. */
  toPageMs(deviceMs: number | undefined, arrivalMs: number): number {
    if (deviceMs === undefined || !Number.isFinite(deviceMs) || !this.#trusted) return arrivalMs
    const offsetMs = this.#track(deviceMs, arrivalMs)
    this.#lastDeviceMs = deviceMs
    this.#lastArrivalMs = arrivalMs
    this.#watchRate(arrivalMs - deviceMs - offsetMs, arrivalMs)
    return this.#trusted ? deviceMs + offsetMs : arrivalMs
  }

  #track(deviceMs: number, arrivalMs: number): number {
    const sampleOffsetMs = arrivalMs - deviceMs
    const restarted = deviceMs < this.#lastDeviceMs
    if (this.#offsetMs === undefined || restarted) this.#offsetMs = sampleOffsetMs
    else {
      const creptMs = this.#offsetMs + (arrivalMs - this.#lastArrivalMs) * driftShare
      this.#offsetMs = Math.min(sampleOffsetMs, creptMs)
    }
    return this.#offsetMs
  }

  #watchRate(delayMs: number, arrivalMs: number): void {
    if (delayMs <= lateMs) this.#lateSinceMs = undefined
    else {
      this.#lateSinceMs ??= arrivalMs
      this.#trusted = arrivalMs - this.#lateSinceMs < lateForMs
    }
  }
}
