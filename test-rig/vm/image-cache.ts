import { homedir } from 'node:os'
import { join } from 'node:path'

/** Outside of the checkout, so that a fresh clone on the same machine need not bake again. */
export const imageCache: string = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'relay-lab',
)
