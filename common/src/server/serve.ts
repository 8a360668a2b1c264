import { pid as ownPid } from 'node:process'
import { createNotifier, watchdogIntervalMs } from 'node-systemd-notify'
import { type Clock, systemClock } from '../clock.ts'
import type { Process } from '../command-line.ts'
import { exitCode } from '../errors.ts'
import { createLog, type Log, type LogLevel } from '../log.ts'
import { type InheritedSockets, inheritedSockets } from './inherited-sockets.ts'
import { type RunnableServer, runServer } from './run-server.ts'

export interface ServeOptions {
  /** Name of the program, for the log. */
  readonly program: string
  readonly logLevel: LogLevel
  readonly drainWithinMs: number
  /** Old settings that were given and mean nothing here, for a warning. */
  readonly ignoredSettings: readonly string[]
  /** What the log says at the start beside the ports; without secrets. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Builds the server, which does nothing yet. */
  readonly create: (deps: ServerDeps) => Promise<StartableServer>
}

export interface ServerDeps {
  readonly clock: Clock
  readonly log: Log
  /** `CREDENTIALS_DIRECTORY` of systemd. */
  readonly credentialsDirectory?: string | undefined
  /** Sockets that listen already, in place of ports. */
  readonly sockets?: InheritedSockets
}

export interface StartableServer extends RunnableServer {
  /** Opens the ports and gives them. Frees everything where that fails. */
  start(): Promise<object>
}

/** Runs a server until a signal comes, as a service of systemd or alone. Gives the exit code. */
export async function serve(options: ServeOptions, process: Process): Promise<number> {
  const { program, facts } = options
  const { environment } = process
  const log = createLog({ program, level: options.logLevel, journal: { environment } })
  for (const ignored of options.ignoredSettings)
    log.warn({ setting: ignored }, 'a setting means nothing here')
  const server = await options.create({
    clock: systemClock,
    log,
    credentialsDirectory: environment['CREDENTIALS_DIRECTORY'],
    sockets: inheritedSockets(environment, ownPid),
  })
  const ports = await server.start()
  log.info({ ports, ...facts }, 'relay started')
  const notifier = createNotifier({
    environment,
    onFault: (error) => log.warn({ error }, 'systemd cannot be told how the relay does'),
  })
  await runServer(
    server,
    {
      process,
      watchdogIntervalMs: watchdogIntervalMs(environment, ownPid),
      drainWithinMs: options.drainWithinMs,
    },
    { clock: systemClock, log, notifier },
  )
  log.info('relay stopped')
  return exitCode.ok
}
