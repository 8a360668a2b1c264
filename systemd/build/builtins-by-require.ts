import type { Plugin } from 'esbuild'

/**
 * Takes Node's own modules by `require` and not by `import`: an import reads every export of a module, and one of
 * `node:http` wakes up the whole of undici behind its getters, 10 MB of memory that no program of ours uses.
 */
export const builtinsByRequire: Plugin = {
  name: 'builtins-by-require',
  setup: (build) => {
    build.onResolve({ filter: /^node:/ }, ({ kind, path }) =>
      kind === 'require-call' ? undefined : { path, namespace: 'builtin' },
    )
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
      loader: 'js',
    }))
  },
}
