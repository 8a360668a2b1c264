import { loadNativeSend, prebuildFolders } from './native-send.ts'
import { nativeTransport } from './native-transport.ts'
import { NotifyError } from './notify-error.ts'
import { spawnTransport } from './spawn-transport.ts'
import { type Field, stateText, statusField } from './state-text.ts'
import type { Transport } from './transport.ts'

export { loadNativeSend, type NativeSend, prebuildFolders } from './native-send.ts'
export { watchdogIntervalMs } from './watchdog-interval.ts'
export { NotifyError } from './notify-error.ts'

/** Tells systemd how this service does (sd_notify(3)). No call throws or waits; without systemd each does nothing. */
export interface Notifier {
  /** Who listens: systemd through the add-on, through the program `systemd-notify`, or nobody. */
  readonly kind: 'native' | 'spawn' | 'none'
  /** The service has started, or has finished a reload. */
  ready(status?: string): void
  /** One line for people, shown by `systemctl status`. Line breaks become blanks; more than 1024 bytes are cut off. */
  status(text: string): void
  /** A sign of life; without one for the time of `WatchdogSec=` systemd ends the service. */
  watchdog(): void
  /** A reload has begun; `ready` ends it. Carries the monotonic time that `Type=notify-reload` asks for. */
  reloading(status?: string): void
  /** The service has begun to stop. */
  stopping(status?: string): void
  /** Starting, reloading or stopping takes this much longer from now on. */
  extendTimeout(ms: number): void
}

export interface NotifierOptions {
  /** Of the process: `NOTIFY_SOCKET` is read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folders with `linux-<architecture>/notify.node`; default: those beside this module and beside the executable. */
  readonly prebuilds?: readonly string[]
  /** systemd cannot be reached. Each code is told once. */
  readonly onFault?: (error: NotifyError) => void
}

/** The notifier of this process. Sends nothing yet. */
export function createNotifier({
  environment,
  prebuilds = prebuildFolders(),
  onFault = () => undefined,
}: NotifierOptions): Notifier {
  const socket = environment.NOTIFY_SOCKET ?? ''
  if (socket === '') return notifierOver('none', () => undefined)
  if (!/^[/@]./.test(socket)) {
    onFault(new NotifyError('EAFNOSUPPORT', 'NOTIFY_SOCKET is neither a path nor an abstract name'))
    return notifierOver('none', () => undefined)
  }
  const tellOnce = onceEach(onFault)
  const send = loadNativeSend(prebuilds)
  return send === undefined
    ? notifierOver('spawn', spawnTransport(socket, tellOnce))
    : notifierOver('native', nativeTransport(socket, send, tellOnce))
}

function notifierOver(kind: Notifier['kind'], transport: Transport): Notifier {
  const send = (...fields: readonly Field[]): void => transport(stateText(fields), { mayBeLost: false })
  const statusFields = (status: string | undefined): readonly Field[] =>
    status === undefined ? [] : [statusField(status)]
  return {
    kind,
    ready: (status) => send(['READY', 1], ...statusFields(status)),
    status: (text) => send(statusField(text)),
    watchdog: () => transport(stateText([['WATCHDOG', 1]]), { mayBeLost: true }),
    reloading: (status) =>
      send(['RELOADING', 1], ['MONOTONIC_USEC', monotonicUsec()], ...statusFields(status)),
    stopping: (status) => send(['STOPPING', 1], ...statusFields(status)),
    extendTimeout: (ms) => send(['EXTEND_TIMEOUT_USEC', Math.round(ms * 1_000)]),
  }
}

/** CLOCK_MONOTONIC, which is what Node's `hrtime` reads on Linux. */
function monotonicUsec(): bigint {
  return process.hrtime.bigint() / 1_000n
}

/** A watchdog that cannot be reached is told each few seconds; one line about it is enough. */
function onceEach(onFault: (error: NotifyError) => void): (error: NotifyError) => void {
  const told = new Set<string>()
  return (error) => {
    if (told.has(error.code)) return
    told.add(error.code)
    onFault(error)
  }
}
