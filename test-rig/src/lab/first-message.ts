import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { exchangeToken } from '@relay/common/exchange-token'
import { WebSocket } from 'ws'

const timeoutMs = 5000
const againAfterMs = 250
const maxMessageBytes = 10 * 1024 * 1024

/** Joins a topic as a viewer does and resolves when something arrives there; false when `signal` aborts first. */
export async function firstMessage(access: string, token: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      const address = await exchangeToken({ access, token, timeoutMs, signal })
      if (await hearOnce(address, signal)) return true
    } catch {
      // The relay may be starting again: what counts is whether something arrives in time.
    }
    await sleep(againAfterMs, undefined, { signal }).catch(() => undefined)
  }
  return false
}

async function hearOnce(address: string, signal: AbortSignal): Promise<boolean> {
  const socket = new WebSocket(address, {
    handshakeTimeout: timeoutMs,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  })
  const over = new AbortController()
  socket.on('error', () => over.abort()).on('close', () => over.abort())
  try {
    await once(socket, 'message', { signal: AbortSignal.any([signal, over.signal]) })
    return true
  } finally {
    socket.terminate()
  }
}
