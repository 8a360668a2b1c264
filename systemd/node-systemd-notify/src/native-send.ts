import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Sends one datagram at once; gives 0, or the errno of what failed. */
export type NativeSend = (path: string, text: string) => number

/**
 * Where the add-on may lie: in this package, beside the folder of a bundle (`lib/relay-agent.mjs` and `prebuilds/`), or
 * beside a program of one file. The same places where node-gyp-build looks for the other add-ons.
 */
export function prebuildFolders(): readonly string[] {
  return [join(import.meta.dirname, '../prebuilds'), join(dirname(process.execPath), 'prebuilds')]
}

/** The add-on for this machine; undefined where there is none, or none that can be loaded. */
export function loadNativeSend(folders: readonly string[]): NativeSend | undefined {
  const file = folders
    .map((folder) => join(folder, `linux-${process.arch}`, 'notify.node'))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) return undefined
  const module: { readonly exports: { readonly send?: NativeSend } } = { exports: {} }
  try {
    process.dlopen(module, file)
  } catch {
    // Made for another kind of machine or C library: then the program `systemd-notify` is asked.
    return undefined
  }
  return module.exports.send
}
