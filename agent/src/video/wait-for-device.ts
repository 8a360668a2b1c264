import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '@relay/common/clock'

export interface DeviceWait {
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Where the kernel tells no changes (no watch left, a file system without), somebody looks so often. */
  readonly pollMs: number
  /** At each look. */
  readonly onLook?: () => void
}

/**
 * Resolves as soon as something is at `path`, or when `signal` aborts. Watches the nearest directory that is there:
 * with the last camera the whole of `/dev/v4l` goes away.
 */
export async function waitForDevice(path: string, options: DeviceWait): Promise<void> {
  const { signal, clock, pollMs, onLook } = options
  // A symbolic link may be there before, or after, what it points to.
  while (!signal.aborted) {
    onLook?.()
    const looked = new AbortController()
    const lookAgain = (): void => looked.abort()
    signal.addEventListener('abort', lookAgain, { once: true })
    const watcher = watchNearest(path, lookAgain)
    try {
      if (existsSync(path)) return
      await clock.sleep(pollMs, looked.signal)
    } finally {
      watcher?.close()
      signal.removeEventListener('abort', lookAgain)
    }
  }
}

/** Calls `onChange` when an entry of the nearest directory above `path` comes or goes; undefined where it cannot be watched. */
function watchNearest(path: string, onChange: () => void): FSWatcher | undefined {
  let directory = dirname(path)
  while (!existsSync(directory) && directory !== dirname(directory)) directory = dirname(directory)
  try {
    const watcher = watch(directory, { persistent: true }, (event) => {
      // "change" is data written to any device of the directory.
      if (event === 'rename') onChange()
    })
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
