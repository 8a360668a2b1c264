import { getSystemErrorName } from 'node:util'
import type { NativeSend } from './native-send.ts'
import { NotifyError } from './notify-error.ts'
import type { Transport } from './transport.ts'

/** Messages that wait until systemd reads again; more are given up. */
const maxWaiting = 16
const againAfterMs = 100
/** 30 s: a service manager that reads nothing for so long restarts us anyhow. */
const maxAttempts = 300
/** systemd has not read what came before. */
const busyCodes: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS'])

/**
 * Sends through the add-on, from this very process, as `NotifyAccess=main` asks. Never waits: what cannot go out now is
 * tried again a little later, in order.
 */
export function nativeTransport(
  path: string,
  send: NativeSend,
  onFault: (error: NotifyError) => void,
): Transport {
  const waiting: string[] = []
  let attempts = 0
  let timer: NodeJS.Timeout | undefined

  /** Gives whether it is done with, sent or not. */
  const trySend = (text: string): boolean => {
    const errno = send(path, text)
    if (errno === 0) return true
    const code = getSystemErrorName(-errno)
    if (busyCodes.has(code) && attempts < maxAttempts) return false
    onFault(new NotifyError(code, `systemd cannot be told how this service does (${code})`))
    return true
  }
  const sendWaiting = (): void => {
    timer = undefined
    attempts += 1
    while (waiting[0] !== undefined && trySend(waiting[0])) {
      waiting.shift()
      attempts = 0
    }
    if (waiting.length > 0) sendLater()
  }
  const sendLater = (): void => {
    // It must not keep a process alive that has nothing else to do.
    timer ??= setTimeout(sendWaiting, againAfterMs).unref()
  }
  return (text, { mayBeLost }) => {
    if (waiting.length === 0 && trySend(text)) return
    if (mayBeLost) return
    if (waiting.length < maxWaiting) waiting.push(text)
    else onFault(new NotifyError('EAGAIN', 'systemd reads no messages, one was given up'))
    sendLater()
  }
}
