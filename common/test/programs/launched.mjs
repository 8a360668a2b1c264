import { launch } from '../../launch/launch.mjs'

await launch(new URL('sample-program.ts', import.meta.url).href)
