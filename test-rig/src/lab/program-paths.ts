import { join } from 'node:path'

const checkout = join(import.meta.dirname, '..', '..', '..')

/** The programs of this checkout, to be run by the Node that runs us. */
export const programPaths = {
  relay: join(checkout, 'relay', 'bin', 'relay.mjs'),
  agent: join(checkout, 'agent', 'bin', 'relay-agent.mjs'),
  shell: join(checkout, 'shell', 'bin', 'shell.mjs'),
  instrument: join(checkout, 'test-rig', 'src', 'instrument', 'main.ts'),
} as const
