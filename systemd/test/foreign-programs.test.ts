import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { whyNoArm64Root } from './container/arm64-root.ts'
import { ForeignPrograms } from './container/foreign-programs.ts'

const why = process.arch === 'arm64' ? 'this machine runs such programs by itself' : whyNoArm64Root()
const folder = '/proc/sys/fs/binfmt_misc'

describe.skipIf(why !== undefined)(
  `programs for another processor${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const entries = (): readonly string[] => (existsSync(folder) ? readdirSync(folder) : [])
    const canRun = (): boolean => entries().some((entry) => entry.includes('aarch64'))

    test('run until the last of two who asked for it is done, and nothing stays behind', async () => {
      const before = entries()
      const first = await ForeignPrograms.allow()
      const second = await ForeignPrograms.allow()

      await first[Symbol.asyncDispose]()
      expect(canRun()).toBe(true)
      await second[Symbol.asyncDispose]()

      const ours = entries().filter((entry) => entry.includes(`-${process.pid}-`))
      expect(ours).toEqual([])
      expect(entries()).toEqual(before)
    })
  },
)
