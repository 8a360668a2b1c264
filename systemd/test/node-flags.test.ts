import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFlags } from '../../agent/src/node-flags.ts'

test('the installed agent starts with the flags that keep it small', () => {
  const wrapper = readFileSync(join(import.meta.dirname, '../debian/relay-agent/bin/relay-agent'), 'utf8')

  expect(wrapper.match(/--[\w=-]+/g)).toEqual(nodeFlags)
})
