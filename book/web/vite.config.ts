import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/**
 * The jsmpeg module writes a style element when it is loaded, for a player element that we do not use. The page's
 * Content-Security-Policy forbids style elements, so the call is taken out. Fails the build when it is not there any
 * more, so that this plugin goes when its reason has gone.
 */
function withoutInjectedStyle(): Plugin {
  const call = 'styleInject(css_248z);'
  return {
    name: 'without-injected-style',
    transform(code, id) {
      if (!id.includes('jsmpeg-player.esm')) return undefined
      if (!code.includes(call)) throw new Error(`${id} no longer contains ${call}: remove the plugin`)
      return { code: code.replace(call, ''), map: null }
    },
  }
}

/** Most bytes of a script after gzip. The page must open quickly on a phone; players are fetched only when needed. */
const budgetBytesByChunk: Readonly<Record<string, number>> = {
  lab: 56_000,
  'mpeg1-decoder': 46_000,
  mpegts: 66_000,
}

/** Fails the build when a script outgrows its budget, or is new and has none. */
function withinBudget(): Plugin {
  return {
    name: 'within-budget',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue
        const bytes = gzipSync(chunk.code).length
        const budgetBytes = budgetBytesByChunk[chunk.name] ?? 0
        if (bytes > budgetBytes)
          throw new Error(`${chunk.name} has ${bytes} bytes, its budget is ${budgetBytes}`)
      }
    },
  }
}

/** Builds the pages to `dist`. The base is relative, so that they can be served under any path. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [withoutInjectedStyle(), withinBudget()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // Assets stay files: the policy of the page allows no data: addresses except for images.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { lab: fileURLToPath(new URL('lab.html', import.meta.url)) },
    },
  },
})
