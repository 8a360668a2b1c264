import { existsSync } from 'node:fs'

/**
 * Preloaded (NODE_OPTIONS=--import=...) it puts a fault below the agent that none of its deadlines can catch: once the
 * file $LOSE_TIMERS_WHEN exists, timers of one second are lost, and once the file $BLOCK_WHEN exists, the event loop
 * stands still. Parts that look around each second are stuck then, and all else goes on.
 */
const { LOSE_TIMERS_WHEN = '', BLOCK_WHEN = '' } = process.env
const setRealTimeout = globalThis.setTimeout

globalThis.setTimeout = Object.assign((action, delayMs, ...rest) => {
  const isLost = delayMs > 900 && delayMs <= 1000 && LOSE_TIMERS_WHEN !== '' && existsSync(LOSE_TIMERS_WHEN)
  return setRealTimeout(isLost ? () => undefined : action, delayMs, ...rest)
}, setRealTimeout)

if (BLOCK_WHEN !== '')
  setInterval(() => {
    while (existsSync(BLOCK_WHEN));
  }, 100).unref()
