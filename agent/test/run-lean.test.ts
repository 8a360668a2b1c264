import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { expect, test } from 'vitest'

/** What is loaded with a file, whether it is used or not: all that it imports, but for what it loads when it needs it. */
function loadedWith(entry: string, { inputs }: Metafile): readonly string[] {
  const loaded = new Set([entry])
  for (const file of loaded)
    for (const { path, kind } of inputs[file]?.imports ?? []) if (kind !== 'dynamic-import') loaded.add(path)
  return [...loaded]
}

test('the service loads no reader of configurations, and no library of parts that it may not have', async () => {
  const entries = ['agent/src/run-lean.ts', 'agent/src/agent.ts']
  const { metafile } = await build({
    absWorkingDir: join(import.meta.dirname, '../..'),
    entryPoints: entries,
    outdir: 'nowhere',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['*.node'],
    logLevel: 'silent',
  })

  const loaded = entries.flatMap((entry) => loadedWith(entry, metafile))
  const libraries = new Set(loaded.flatMap((file) => /node_modules\/([^/]+)/.exec(file)?.[1] ?? []))
  expect(libraries).toContain('ws')
  expect(
    ['yaml', 'typebox', 'yargs', 'mqtt', 'serialport', '@serialport', 'undici'].filter((name) =>
      libraries.has(name),
    ),
  ).toEqual([])
  // Only an agent with a shell host loads what that needs.
  expect(loaded).toContain('common/src/shell-host/shell-access.ts')
  expect(
    loaded.filter((file) => /\/(?:tunnel\/|shell-host\/(?:shell-host|host-sessions)\.ts)/.test(file)),
  ).toEqual([])
})
