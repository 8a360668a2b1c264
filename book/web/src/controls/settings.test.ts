import { expect, test } from 'vitest'
import { noSettings, readSettings } from './settings.ts'

test('the settings file of an older experiment gives its name and leaves the rest open', () => {
  const file = {
    name: 'Pendulum 31',
    version: '1',
    date: 1_600_000_000,
    aud: 'https://ui',
    images: [],
    parameters: [],
  }

  expect(readSettings(JSON.stringify(file))).toEqual({ ...noSettings, name: 'Pendulum 31' })
})

test('settings with controls settle them: the instrument need not be asked', () => {
  const settings = readSettings(
    '{"controls":[{"param":"speed","min":0,"max":5}],"stop":{"halt":1},"ping":false}',
  )

  expect(settings?.controls?.controls.map(({ param }) => param)).toEqual(['speed'])
  expect(settings?.controls?.stop).toEqual({ halt: 1 })
  expect(settings).toMatchObject({ mayDescribe: false, mayPing: false })
})

test.for(['', 'null', '[]', '{', '"x"'])('what is no JSON object gives no settings: %s', (text) => {
  expect(readSettings(text)).toBeUndefined()
})
