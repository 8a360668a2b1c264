import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Nobody holds the object any more: all garbage is collected, and it is gone. */
export async function isLetGo(object: WeakRef<object>): Promise<boolean> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // An object that was looked at stays until the turn is over.
  await turn()
  collect()
  return object.deref() === undefined
}
