import { execFile } from 'node:child_process'
import { NotifyError } from './notify-error.ts'
import type { Transport } from './transport.ts'

/** More than one message of each kind never waits for long. */
const maxWaiting = 16
/** The program waits until systemd has read its message. */
const endsWithinMs = 5_000

/**
 * Sends by starting `systemd-notify`, one after the other: for machines for which there is no add-on. systemd takes it
 * only from a service with `NotifyAccess=all`, as it comes from another process than the main one.
 */
export function spawnTransport(socket: string, onFault: (error: NotifyError) => void): Transport {
  const waiting: string[] = []
  let isRunning = false

  const sendNext = (): void => {
    const text = waiting.shift()
    if (text === undefined) return
    isRunning = true
    execFile(
      'systemd-notify',
      ['--', ...text.trimEnd().split('\n')],
      { env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket }, timeout: endsWithinMs },
      (error) => {
        isRunning = false
        if (error !== null)
          onFault(new NotifyError('SPAWN_FAILED', 'the program systemd-notify failed', { cause: error }))
        sendNext()
      },
    )
  }
  return (text, { mayBeLost }) => {
    if (isRunning && mayBeLost) return
    if (waiting.length < maxWaiting) waiting.push(text)
    else onFault(new NotifyError('SPAWN_BUSY', 'systemd-notify is too slow, a message was given up'))
    if (!isRunning) sendNext()
  }
}
