import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openTtyBinding, type TtyPoller } from '../src/instrument/tty/tty-binding.ts'
import { TtyPollers } from '../src/instrument/tty/tty-pollers.ts'
import { PtyPair } from './pty-pair.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

test('a port that is opened again gets the poller that its descriptor had before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'binding-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  const cable = new PtyPair(directory)
  cleanUps.push(() => cable.unplug())
  await cable.plug()
  const line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } as const
  const pollers = new TtyPollers()
  const seen = new Set<TtyPoller>()
  const descriptors = new Set<number | null>()

  for (let round = 0; round < 20; round += 1) {
    const binding = await openTtyBinding({ path: cable.device, line, dropsDtr: false, pollers })
    seen.add(binding.poller)
    descriptors.add(binding.fd)
    await binding.close()
    await expect(binding.flush()).rejects.toThrow('not open')
  }

  expect(seen.size).toBe(descriptors.size)
  expect(seen.size).toBeLessThan(20)
})
