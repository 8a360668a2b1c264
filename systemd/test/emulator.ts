import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

/**
 * The command for a Node of a processor. One that is emulated may start itself once more: it takes a script for its own
 * program, as the kernel would not know how to run the real one. The script is put into `folder`.
 */
export function commandOfNode(node: string, cpu: Cpu, folder: string): readonly string[] {
  const emulator = emulatorOf(cpu)
  if (emulator.length === 0) return [node]
  const script = join(folder, 'emulated-node')
  writeFileSync(script, `#!/bin/sh\nexec ${emulator.join(' ')} ${node} "$@"\n`, { mode: 0o755 })
  const preload = join(folder, 'emulated-node.cjs')
  writeFileSync(preload, `process.execPath = ${JSON.stringify(script)}\n`)
  return [script, '--require', preload]
}
