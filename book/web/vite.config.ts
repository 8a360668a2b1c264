import { fileURLToPath } from 'node:url'
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

/** Builds the pages to `dist`. The base is relative, so that they can be served under any path. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [withoutInjectedStyle()],
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
