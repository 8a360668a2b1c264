import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { checkConfig } from '../check-config.ts'
import { agentConfigSpec } from '../config.ts'

function findings(
  instrument: string,
  more = '',
): readonly { readonly pointer: string; readonly what: string }[] {
  const text = `mqttInstruments: [{ name: rig, broker: mqtt://b, ${instrument} }]\n${more}`
  return checkConfig(loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } }))
}

test.each([
  ['subscriptions: [{ filter: "a/#/b" }]', '', 'subscriptions/0/filter'],
  ['subscriptions: [{ filter: "{topic}" }]', '', 'subscriptions/0/filter'],
  ['subscriptions: [{ filter: a, template: "${a" }]', '', 'subscriptions/0/template'],
  ['subscriptions: [{ filter: a, template: "${rig}" }]', '', 'subscriptions/0/template'],
  ['publications: [{ topic: a, template: x }]', '', 'publications/0/match'],
  ['publications: [{ topic: "a/#", form: raw }]', '', 'publications/0/topic'],
  ['publications: [{ topic: "$SYS/x", form: raw }]', '', 'publications/0/topic'],
  [
    'publications: [{ match: \'{"a":${v:string}}\', topic: "a/${v}", form: raw }]',
    '',
    'publications/0/topic',
  ],
  ['publications: [{ match: \'{"a":${v:word}}\', topic: "${v}+", form: raw }]', '', 'publications/0/topic'],
  ['publications: [{ match: \'{"a":1}\', topic: a, template: "${b}" }]', '', 'publications/0/template'],
  ['publications: [{ match: "${v}", topic: a, form: raw }]', '', 'publications/0/match'],
  ['repeatRequest: describe', '', 'repeatRequest'],
  ['will: { topic: "a/+" }', '', 'will/topic'],
  ['passwordFile: p', '', 'username'],
  ['certFile: c', 'x', 'keyFile'],
  ['caFile: c', '', 'broker'],
  ['commandAge: 1ms', '', 'commandAge'],
  ['keepAlive: 20h', '', 'keepAlive'],
  ['sessionExpiry: 90000d', '', 'sessionExpiry'],
  ['maxPayload: 10GiB', '', 'maxPayload'],
  ['feed: stream/a', '', 'feed'],
  ['feed: v', 'cameras: [{ name: c, device: /d, feed: v }]', 'feed'],
  ['feed: s', 'instruments: [{ name: i, device: /d, feed: s }]', 'feed'],
])('%s is wrong at its place', (instrument, more, key) => {
  const found = findings(instrument, more === 'x' ? '' : more)
  expect(found.map(({ pointer }) => pointer)).toContain(`/mqttInstruments/0/${key}`)
  expect(found.length).toBeLessThanOrEqual(2)
})

test('what the documentation shows is right', () => {
  expect(
    findings(
      [
        'subscriptions: [{ filter: "pend/{rig}/angle", template: \'{"rig":${rig},"angle":${number}}\' }]',
        'publications: [{ match: \'{"set":"speed","to":${speed:number 0..5}}\', topic: pend/1/speed, template: "${speed}", qos: 1 }]',
        'will: { topic: pend/1/online, payload: "no" }',
      ].join(', '),
    ),
  ).toEqual([])
})
