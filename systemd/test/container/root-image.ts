import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expectCommand } from './run-command.ts'

/** What the containers run: the oldest Debian that the tests boot. */
const suite = 'bookworm'
/** A small Debian, and what our packages depend on, so that they install without a network; socat makes serial ports. */
const packages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'kmod',
  'procps',
  'init-system-helpers',
  'ca-certificates',
  'ffmpeg',
  'socat',
]
const bakeWithinMs = 560_000

/**
 * The folder with a root file system for containers; bakes it with mmdebstrap when it is not in the cache of this user
 * (about a minute, and some 700 MB; no command of ours writes into it afterwards). Delete `~/.cache/relay-lab` to have it
 * made anew.
 * @throws {Error} with what mmdebstrap said.
 */
export async function rootImage(): Promise<string> {
  const key = createHash('sha256')
    .update([suite, ...packages].join(' '))
    .digest('hex')
    .slice(0, 12)
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'relay-lab')
  const image = join(cache, `${suite}-${key}`)
  if (existsSync(image)) return image
  await mkdir(cache, { recursive: true })
  // Under a name of its own until it is whole: what a killed run leaves is never taken for an image.
  const unfinished = `${image}.${process.pid}`
  try {
    await expectCommand(
      'mmdebstrap',
      ['--variant=minbase', '--quiet', `--include=${packages.join(',')}`, suite, unfinished],
      { withinMs: bakeWithinMs },
    )
    await rename(unfinished, image)
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(image)) throw error
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return image
}
