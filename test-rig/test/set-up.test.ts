import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const checkout = join(import.meta.dirname, '..', '..')
const setUp = join(checkout, 'provisioning', 'developer', 'debian-packages.mjs')

/** A machine without ffmpeg and socat, whose apt-get and sudo are scripts that write down how they were called. */
describe('the set-up of Debian packages', () => {
  let bin: string
  beforeEach(async () => {
    bin = await mkdtemp(join(tmpdir(), 'relay-set-up-'))
    await command(
      'apt-get',
      'case "$*" in *install*) for p in ffmpeg socat; do printf "#!/bin/sh\\n" > "$BIN/$p"; chmod +x "$BIN/$p"; done;; esac',
    )
    await command('env', 'while case "$1" in *=*) true;; *) false;; esac; do shift; done; exec "$@"')
  })
  afterEach(async () => {
    await rm(bin, { recursive: true, force: true })
  })

  test('installs what is missing as root, and nothing the second time', async () => {
    await install({ userId: 0 })
    await install({ userId: 0 })

    expect(await calls()).toEqual([
      expect.stringMatching(/^apt-get .*update$/),
      expect.stringMatching(/^apt-get .*install -y --no-install-recommends ffmpeg socat$/),
    ])
  })

  test('goes through sudo for everybody else', async () => {
    await command('sudo', 'if [ "$*" = "-n true" ]; then exit 0; fi; shift; exec "$@"')

    await install({ userId: 1000 })

    expect((await calls()).findLast((call) => call.startsWith('sudo'))).toMatch(
      /^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get .*install -y --no-install-recommends ffmpeg socat$/,
    )
  })

  test('says which command a person must run where sudo wants a password and nobody can give it', async () => {
    await command('sudo', 'exit 1')

    await expect(install({ userId: 1000 })).rejects.toThrow(
      'run this once and try again: sudo apt-get install -y --no-install-recommends ffmpeg socat',
    )
  })

  test('shows the end of what apt-get said when it fails', async () => {
    await command('apt-get', 'echo "E: no network here"; exit 100')

    await expect(install({ userId: 0 })).rejects.toThrow('E: no network here')
  })

  async function command(name: string, body: string): Promise<void> {
    const path = join(bin, name)
    await writeFile(
      path,
      `#!/bin/sh\nPATH=/usr/bin:/bin\necho "${name} $*" >> "$BIN/calls"\nPATH="$BIN:$PATH"\n${body}\n`,
    )
    await chmod(path, 0o755)
  }

  async function calls(): Promise<readonly string[]> {
    return (await readFile(join(bin, 'calls'), 'utf8')).trimEnd().split('\n')
  }

  async function install({ userId }: { readonly userId: number }): Promise<void> {
    const script = `process.getuid = () => ${userId}
      const { installDebianPackages } = await import(${JSON.stringify(setUp)})
      try { await installDebianPackages('start') } catch (error) { console.error(error.message); process.exitCode = 1 }`
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      env: { PATH: bin, BIN: bin },
    })
  }
})
