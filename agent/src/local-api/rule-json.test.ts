import { describe, expect, test } from 'vitest'
import {
  destinationRuleJson,
  destinationRulesJson,
  parseDestinationRule,
  parseStreamRule,
  streamRuleJson,
  streamRulesJson,
  withHiddenToken,
} from './rule-json.ts'

const empty = { id: '', stream: '', destination: '', token: '', file: '' }

describe('a destination rule', () => {
  test.each([
    ['{}', empty],
    ['null', empty],
    [
      '{"id":"0","stream":"video","destination":"d","token":"t","file":"f"}',
      { id: '0', stream: 'video', destination: 'd', token: 't', file: 'f' },
    ],
    ['{"ID":"0","Stream":"/v","unknown":[1,{"x":null}]}', { ...empty, id: '0', stream: 'v' }],
    ['{"stream":"//x"}', { ...empty, stream: '/x' }],
    ['{"id":"a","id":"b","ID":null}', { ...empty, id: 'b' }],
    ['{"de\u017ftination":"long s"}', { ...empty, destination: 'long s' }],
  ])('%s is read', (text, rule) => {
    expect(parseDestinationRule(Buffer.from(text))).toEqual({ ok: true, rule })
  })

  test.each([
    ['{"id":7}', 'json: cannot unmarshal number into Go struct field Rule.id of type string'],
    ['{"token":true}', 'json: cannot unmarshal bool into Go struct field Rule.token of type string'],
    ['{"file":{}}', 'json: cannot unmarshal object into Go struct field Rule.file of type string'],
    ['{"STREAM":[],"id":1}', 'json: cannot unmarshal array into Go struct field Rule.stream of type string'],
    ['[]', 'json: cannot unmarshal array into Go value of type rwc.Rule'],
    ['"x"', 'json: cannot unmarshal string into Go value of type rwc.Rule'],
    ['{"id":7} x', "invalid character 'x' after top-level value"],
    ['', 'unexpected end of JSON input'],
  ])('%s is refused in the words of Go', (text, error) => {
    expect(parseDestinationRule(Buffer.from(text))).toEqual({ ok: false, error })
  })

  test('is written with all five keys in their order', () => {
    const rule = { id: '<', stream: 's', destination: 'https://h/x?a&b', token: '', file: '' }
    expect(destinationRuleJson(rule)).toBe(
      '{"id":"\\u003c","stream":"s","destination":"https://h/x?a\\u0026b","token":"","file":""}',
    )
  })

  test('hides a token, and shows that there is none', () => {
    expect(withHiddenToken({ ...empty, token: 'a.b.c' }).token).toBe('(hidden)')
    expect(withHiddenToken(empty).token).toBe('')
  })

  test('is listed under its id, sorted', () => {
    const rules = [
      { ...empty, id: '1' },
      { ...empty, id: '00' },
    ]
    expect(Object.keys(JSON.parse(destinationRulesJson(rules)) as object)).toHaveLength(2)
    expect(destinationRulesJson(rules).indexOf('"00"')).toBeLessThan(
      destinationRulesJson(rules).indexOf('"1"'),
    )
  })
})

describe('a stream rule', () => {
  test.each([
    [
      '{"stream":"/stream/front/large","feeds":["video0","audio0"]}',
      'stream/front/large',
      ['video0', 'audio0'],
    ],
    ['{"stream":"x","feeds":[]}', 'x', []],
    ['{"stream":"x"}', 'x', null],
    ['{"stream":"x","feeds":null}', 'x', null],
    ['{"FEEDS":["a",null]}', '', ['a', '']],
  ])('%s is read', (text, stream, feeds) => {
    expect(parseStreamRule(Buffer.from(text))).toEqual({ ok: true, rule: { stream, feeds } })
  })

  test.each([
    ['{"stream":5}', 'json: cannot unmarshal number into Go struct field Rule.stream of type string'],
    ['{"feeds":"a"}', 'json: cannot unmarshal string into Go struct field Rule.feeds of type []string'],
    ['{"feeds":["a",1]}', 'json: cannot unmarshal number into Go struct field Rule.feeds of type string'],
    ['3', 'json: cannot unmarshal number into Go value of type agg.Rule'],
  ])('%s is refused in the words of Go', (text, error) => {
    expect(parseStreamRule(Buffer.from(text))).toEqual({ ok: false, error })
  })

  test('is echoed with null where feeds were missing', () => {
    expect(streamRuleJson({ stream: 'x', feeds: null })).toBe('{"stream":"x","feeds":null}')
  })

  test('is listed as its feeds', () => {
    const rules = [
      { stream: 'stream/two', feeds: [] },
      { stream: 'stream/large', feeds: ['video0'] },
    ]
    expect(streamRulesJson(rules)).toBe('{"stream/large":["video0"],"stream/two":[]}')
  })
})
