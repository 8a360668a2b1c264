import { expect, test } from 'vitest'
import { childEnvironment } from './child-environment.ts'

test('settings of the person are taken away and our own are given', () => {
  const environment = {
    PATH: '/bin',
    RELAY_SECRET: 'x',
    VW_PORT: '1',
    RELAYED: 'stays',
    RELAY_URL: 'theirs',
    SHELL: '/bin/sh',
    SHELLRELAY_SECRET: 'y',
  }

  const added = childEnvironment(environment, { RELAY_URL: 'ours' })

  expect({ ...environment, ...added }).toEqual({
    PATH: '/bin',
    RELAYED: 'stays',
    RELAY_SECRET: undefined,
    SHELL: '/bin/sh',
    SHELLRELAY_SECRET: undefined,
    VW_PORT: undefined,
    RELAY_URL: 'ours',
  })
})
