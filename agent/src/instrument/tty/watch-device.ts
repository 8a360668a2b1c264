import { existsSync, type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface DeviceWatch {
  /** The device whose coming is awaited. */
  readonly path: string
  /** Other names in the same folder that may be the device as well. */
  readonly isLike: (name: string) => boolean
  /** A change of rights counts too; so does then every write to the device by another program. */
  readonly seesRights: boolean
  readonly wake: () => void
}

/**
 * Wakes once when the device comes, or its rights change: udev makes the node first and gives it to the group later.
 * Watches the deepest folder on the way to it that exists: /dev/serial/by-id goes with the last port. Where nothing can
 * be watched (no inotify left) it never wakes: the caller tries by time as well. Returns the function that ends it.
 */
export function watchDevice({ path, isLike, seesRights, wake }: DeviceWatch): () => void {
  let watcher: FSWatcher | undefined
  let watched = ''
  let hasEnded = false
  const stop = (): void => {
    hasEnded = true
    watcher?.close()
  }
  const follow = (): void => {
    const folder = deepestFolder(path)
    if (hasEnded || folder === watched) return
    watcher?.close()
    watched = folder
    try {
      watcher = watch(folder, { persistent: false }, (event, name) => onChange(event, name ?? ''))
      watcher.on('error', stop)
    } catch {
      stop()
    }
  }
  const onChange = (event: string, name: string): void => {
    if (hasEnded || (event === 'change' && !seesRights)) return
    const before = watched
    follow()
    // What came into a folder before it was watched is told by no event.
    const came =
      watched !== before || name === basename(path) ? path : isLike(name) ? join(watched, name) : ''
    if (came === '' || !existsSync(came)) return
    stop()
    wake()
  }
  follow()
  return stop
}

function deepestFolder(path: string): string {
  let folder = dirname(path)
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}
