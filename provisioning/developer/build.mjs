import { join } from 'node:path'
import { build } from 'esbuild'
import { checkout, run } from './run-command.mjs'

/** The shipped form of each program: one file with its source map beside it, which any Node 24 runs. */
const programs = [
  { name: 'relay', entry: 'relay/src/main.ts' },
  { name: 'session', entry: 'relay/src/session-main.ts' },
  { name: 'relay-agent', entry: 'agent/src/main.ts' },
]

// CommonJS packages inside an ES module bundle ask for `require`; a native add-on stays a package of its own.
const banner =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"

for (const { name, entry } of programs) {
  const { metafile } = await build({
    entryPoints: [join(checkout, entry)],
    outfile: join(checkout, 'dist', `${name}.mjs`),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    metafile: true,
    external: ['serialport'],
    banner: { js: banner },
    logLevel: 'warning',
  })
  const output = Object.entries(metafile.outputs).find(([path]) => path.endsWith('.mjs'))
  console.log(`dist/${name}.mjs: ${Math.round((output?.[1].bytes ?? 0) / 1024)} KiB`)
}
await run('vite', ['build', 'book/web', '--logLevel', 'warn'], { what: 'the web page' })
console.log('book/web/dist: the web page')
