/** Something a student can set, in the words the page shows. */
export interface Control {
  readonly param: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly unit: string
  readonly label: string
}

/** One measured number of a data line. */
export interface Field {
  readonly name: string
  readonly unit: string
  /** Standard deviation of the sensor's noise, in `unit`. */
  readonly noise: number
}

/** A piece of physics which can be driven and measured. Knows no clock: time passes only through `advance`. */
export interface Plant {
  readonly name: string
  readonly controls: readonly Control[]
  readonly fields: readonly Field[]
  readonly isRunning: boolean
  /** The present value of a control; 0 for a name that is none. */
  setting(param: string): number
  /** Takes a value; outside the control's range the nearest allowed one counts. A name that is none is ignored. */
  set(param: string, value: number): void
  /** Starts or stops the drive; the mechanics go on by themselves. */
  setRunning(isRunning: boolean): void
  /** Lets time pass. */
  advance(byMs: number): void
  /** The true value of each field, in the order of `fields`, always finite. */
  read(): readonly number[]
}
