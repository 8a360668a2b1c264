import type { Program } from '@relay/common/command-line'
import type { Cpu } from '../build/collect-prebuilds.ts'

export type PackageName = 'relay-agent' | 'relay-server'

/** What tells one package from the other; everything else about them is the same. */
export interface PackageDefinition {
  readonly name: PackageName
  /** In the form of debian/control: a line, then paragraphs. */
  readonly synopsis: string
  readonly description: readonly string[]
  readonly depends: readonly string[]
  readonly recommends: readonly string[]
  readonly suggests: readonly string[]
  /** Names of bundles, see bundle-programs.ts. */
  readonly bundles: readonly string[]
  /** Programs in /usr/bin: with a man page and completions each. */
  readonly programs: readonly Program[]
  readonly hasSerialPorts: boolean
  /** Whether a file of `systemd/units` and its neighbours, by its name, goes into this package. */
  readonly owns: (file: string) => boolean
}

/** As Debian names processors. */
export type DebianArchitecture = 'amd64' | 'arm64'

export const cpuOf: Readonly<Record<DebianArchitecture, Cpu>> = { amd64: 'x64', arm64: 'arm64' }

/**
 * What the Node binary and the add-ons ask for; a test compares it with the symbols that they name. The C++ library of
 * Debian 10, and of Ubuntu 20.04 under which JetPack 5 runs, is new enough.
 */
export const libraryDepends: readonly string[] = [
  'libc6 (>= 2.28)',
  'libgcc-s1 | libgcc1',
  'libstdc++6 (>= 6)',
]

/** `Type=notify`, credentials with a fallback, sysusers: systemd of Ubuntu 20.04 and later. */
export const systemdDepends: readonly string[] = ['init-system-helpers (>= 1.54~)', 'systemd (>= 245)']
