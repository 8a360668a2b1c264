import { childEnvironment } from './child-environment.ts'
import { OwnedProcess } from './owned-process.ts'
import type { Part } from './part.ts'
import { programPaths } from './program-paths.ts'

/** The simulated instrument at the device's end of a cable. */
export function instrumentPart(kind: string, tty: string): Part {
  return {
    name: 'instrument',
    start: () =>
      OwnedProcess.start({
        name: 'instrument',
        command: process.execPath,
        args: [programPaths.instrument, '--kind', kind, '--tty', tty],
        env: childEnvironment(process.env),
      }),
    // It waits for its cable by itself; whether data come is looked at where it matters, at the relay.
    ready: () => Promise.resolve(),
  }
}
