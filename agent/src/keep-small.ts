import { setFlagsFromString } from 'node:v8'
import { v8Flags } from './node-flags.ts'

/**
 * Small buffers are cut from slabs of this size (8 KiB by default). The slab in use stays at each collection of young
 * garbage, about every second, and from then on until all garbage is collected, which may be half an hour later.
 */
const slabBytes = 1024

/** Makes this process as small as it can be made without a command line. To be called before all else is loaded. */
export function keepSmall(): void {
  for (const flag of v8Flags) setFlagsFromString(flag)
  Buffer.poolSize = slabBytes
}
