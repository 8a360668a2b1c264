import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildAddon } from '../node-systemd-notify/native/build-addon.ts'

/** As Node names processors. */
export type Cpu = 'x64' | 'arm64'

export interface CollectOptions {
  readonly checkout: string
  readonly directory: string
  readonly cpus: readonly Cpu[]
  /** Whether a program for serial ports is among those that are built. Default true. */
  readonly serial?: boolean
}

/**
 * Puts the native add-ons into `<directory>/prebuilds/linux-<cpu>/`, and gives their files from there: that of serialport
 * as it came by npm (integrity locked), that of node-systemd-notify compiled by Debian's gcc.
 */
export async function collectPrebuilds(options: CollectOptions): Promise<readonly string[]> {
  const files = await Promise.all(options.cpus.map((cpu) => collectFor(cpu, options)))
  return files.flat()
}

async function collectFor(
  cpu: Cpu,
  { checkout, directory, serial = true }: CollectOptions,
): Promise<string[]> {
  const folder = join('prebuilds', `linux-${cpu}`)
  await mkdir(join(directory, folder), { recursive: true })
  await buildAddon({
    architecture: cpu,
    directory: join(directory, 'prebuilds'),
    headers: join(checkout, 'node_modules', `node-linux-${process.arch}`, 'include', 'node'),
  })
  const files = [join(folder, 'notify.node')]
  if (serial) {
    const source = join(checkout, 'node_modules/@serialport/bindings-cpp/prebuilds', `linux-${cpu}`)
    // Debian and Ubuntu have glibc; the others are for musl.
    const name = (await readdir(source)).find((file) => file.endsWith('glibc.node'))
    if (name === undefined) throw new Error(`serialport brings no add-on for linux-${cpu}`)
    await copyFile(join(source, name), join(directory, folder, name))
    files.push(join(folder, name))
  }
  return files
}
