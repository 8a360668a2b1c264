import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { settingsTable } from '@relay/common/config/document-config'
import { describe, expect, test } from 'vitest'
import { agentConfigSpec, cameraSchema, instrumentSchema, streamSchema, topicSchema } from '../src/config.ts'
import { itemTable } from '../src/document-lists.ts'
import { hostSpec } from '../src/host-settings.ts'
import {
  mqttInstrumentSchema,
  mqttPublicationSchema,
  mqttSubscriptionSchema,
} from '../src/mqtt/mqtt-config.ts'

const readmeFile = fileURLToPath(new URL('../README.md', import.meta.url))
const sourceFolder = fileURLToPath(new URL('../src', import.meta.url))

function section(name: string): string {
  const readme = readFileSync(readmeFile, 'utf8')
  const [, text] = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(readme) ?? []
  if (text === undefined) throw new Error(`README.md has no section "${name}"`)
  return text.trim()
}

describe('the tables of the README are those of the schema; WRITE_README=1 writes them', () => {
  test.each([
    ['settings', () => settingsTable(agentConfigSpec)],
    ['topics', () => itemTable(topicSchema)],
    ['streams', () => itemTable(streamSchema)],
    ['cameras', () => itemTable(cameraSchema)],
    ['instruments', () => itemTable(instrumentSchema)],
    ['mqtt-instruments', () => itemTable(mqttInstrumentSchema)],
    ['mqtt-subscriptions', () => itemTable(mqttSubscriptionSchema)],
    ['mqtt-publications', () => itemTable(mqttPublicationSchema)],
    ['host', () => settingsTable(hostSpec)],
  ] as const)('%s', (name, table) => {
    if (process.env.WRITE_README === '1') {
      const readme = readFileSync(readmeFile, 'utf8')
      const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`)
      writeFileSync(
        readmeFile,
        readme.replace(place, (_all, begin: string, end: string) => `${begin}${table()}\n${end}`),
      )
    }

    expect(section(name)).toBe(table())
  })
})

test('the README lists exactly the codes of faults that stand in the source', () => {
  const source = globSync('**/*.ts', { cwd: sourceFolder, exclude: ['**/*.test.ts'] })
    .map((file) => readFileSync(`${sourceFolder}/${file}`, 'utf8'))
    .join('\n')
  const inSource = [
    ...source.matchAll(/new (?:App|Config|Usage|Unavailable)Error\(\s*'([A-Z_]+)'/g),
    ...source.matchAll(/super\('([A-Z_]+)'/g),
    ...source.matchAll(/\bcode: '([A-Z_]+)'/g),
    ...source.matchAll(/\?\? '([A-Z_]+)'/g),
  ].map(([, code]) => code ?? '')
  const inReadme = [...section('codes').matchAll(/^\| `([A-Z_]+)` /gm)].map(([, code]) => code ?? '')

  expect(inReadme).toEqual([...new Set(inSource)].toSorted())
})
