import { existsSync, lstatSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { openRawTty } from '../src/instrument/raw-tty.ts'
import { PtyPair } from '../src/pty/pty-pair.ts'
import { until } from '../src/rig/until.ts'

test('every byte goes through the cable unchanged, both ways', async () => {
  await using cable = await PtyPair.create()
  using host = await openRawTty(cable.hostPath)
  using device = await openRawTty(cable.devicePath)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.boolean(), async (bytes, isUp) => {
      const [from, to] = isUp ? [device, host] : [host, device]
      const got: Buffer[] = []
      const take = (chunk: Buffer): void => void got.push(chunk)
      to.stream.on('data', take)
      from.stream.write(bytes)
      await until('all bytes', () => Buffer.concat(got).length >= bytes.length, { everyMs: 1 })
      to.stream.off('data', take)
      expect(Buffer.concat(got)).toEqual(Buffer.from(bytes))
    }),
    { numRuns: 30 },
  )
})

test('pulling the cable hangs both ends up and removes their names; plugging in brings the same names back', async () => {
  await using cable = await PtyPair.create()
  using host = await openRawTty(cable.hostPath)
  using device = await openRawTty(cable.devicePath)
  const hungUp = [host, device].map(async ({ stream }) => {
    stream.resume()
    stream.on('error', () => undefined)
    await once(stream, 'close')
  })

  await cable.pull()
  await Promise.all(hungUp)
  expect(existsSync(cable.hostPath)).toBe(false)
  expect(existsSync(cable.devicePath)).toBe(false)

  await cable.plug()
  expect(lstatSync(cable.hostPath).isSymbolicLink()).toBe(true)
  using again = await openRawTty(cable.hostPath)
  using other = await openRawTty(cable.devicePath)
  other.stream.write('back')
  const [heard] = (await once(again.stream, 'data')) as [Buffer]
  expect(heard.toString()).toBe('back')
})

test('either end may be closed and opened again while the cable is plugged in', async () => {
  await using cable = await PtyPair.create()
  for (let i = 0; i < 3; i += 1) {
    using host = await openRawTty(cable.hostPath)
    using device = await openRawTty(cable.devicePath)
    device.stream.write('x')
    const [heard] = (await once(host.stream, 'data')) as [Buffer]
    expect(heard.toString()).toBe('x')
  }
})

test('disposing ends socat and leaves nothing behind', async () => {
  const cable = await PtyPair.create()
  const gone = cable.unplugged()

  await cable[Symbol.asyncDispose]()
  await gone

  expect(existsSync(dirname(cable.hostPath))).toBe(false)
})

test('a machine without socat is told what to install', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'relay-path-'))
  await symlink('/usr/bin/setpriv', join(directory, 'setpriv'))
  vi.stubEnv('PATH', directory)
  try {
    await expect(PtyPair.create()).rejects.toMatchObject({
      code: 'SOCAT_MISSING',
      message: 'socat is not installed: run "sudo apt-get install socat"',
    })
  } finally {
    vi.unstubAllEnvs()
    await rm(directory, { recursive: true })
  }
})
