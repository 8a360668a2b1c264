import type { Cpu } from '../build/collect-prebuilds.ts'

/**
 * What stands in front of a program for a processor: nothing on such a machine, else qemu with the libraries of the cross
 * compiler, which are those of a Debian of that kind.
 */
export function emulatorOf(cpu: Cpu): readonly string[] {
  if (process.arch === cpu) return []
  return cpu === 'arm64'
    ? ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu']
    : ['qemu-x86_64-static', '-L', '/usr/x86_64-linux-gnu']
}
