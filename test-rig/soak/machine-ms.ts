/** Milliseconds of the machine's monotonic clock: all processes of one machine read the same, and it never jumps. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
