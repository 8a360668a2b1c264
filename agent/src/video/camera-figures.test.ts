import { expect, test } from 'vitest'
import { cameraFigures } from './camera-figures.ts'

const fault = { code: 'X', message: 'why', atMs: 0 }

test.each<[string, Readonly<Record<string, unknown>>, readonly string[]]>([
  [
    'a camera that does well has nothing to add',
    {
      picture: { state: 'still' },
      audio: { state: 'live' },
      recovery: { usbResets: 0, powerCycles: 0, fault: undefined },
    },
    [],
  ],
  ['a picture that is lost is told', { picture: { state: 'frozen' } }, ['picture frozen']],
  ['and sound that fails, with the reason', { audio: { state: 'failed', fault } }, ['no sound (why)']],
  [
    'and what was tried',
    { recovery: { usbResets: 2, powerCycles: 1, fault } },
    ['USB resets 2', 'power cycles 1', 'cannot be reset: why'],
  ],
  [
    'facts of any form are borne',
    { picture: null, audio: { state: 'failed' }, recovery: 3 },
    ['no sound (no reason is known)'],
  ],
])('%s', (_name, facts, words) => {
  expect(cameraFigures(facts)).toEqual(words)
})
