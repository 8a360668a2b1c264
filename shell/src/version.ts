import manifest from '../package.json' with { type: 'json' }

/** Version of these programs. */
export const version: string = manifest.version
