import { installDebianPackages } from './debian-packages.mjs'
import { installNpmPackages, nodeBinary } from './npm-packages.mjs'
import { run } from './run-command.mjs'

await installNpmPackages()
await installDebianPackages('build')
// The bundles need a Node that runs TypeScript, which the one that runs this may not be.
await run(nodeBinary(), ['systemd/build/main.ts'], { what: 'the bundles' })
await run('vite', ['build', 'book/web', '--logLevel', 'warn'], { what: 'the web page' })
console.log('book/web/dist: the web page')
