import { keptImage } from './kept-image.ts'
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
  const list = packages.join(',')
  return await keptImage(suite, [suite, ...packages], (path) =>
    expectCommand('mmdebstrap', ['--variant=minbase', '--quiet', `--include=${list}`, suite, path], {
      withinMs: bakeWithinMs,
    }),
  )
}
