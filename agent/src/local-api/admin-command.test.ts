import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { FeedHub } from '../feeds/feed-hub.ts'
import { DestinationRules, StreamRules } from '../feeds/rules.ts'
import { answerAdminCommand, type ErrorTexts } from './admin-command.ts'
import { RuleDesk } from './rule-desk.ts'

const emptyRule = '{"id":"","stream":"","destination":"","token":"","file":""}'
const ruleQ = '{"id":"q","stream":"v","destination":"ws://h/a","token":"","file":""}'
const unrecognised = '{"error":"Unrecognised Command"}'

let desk: RuleDesk

beforeEach(() => {
  desk = new RuleDesk(
    { maxDestinations: 3, maxStreams: 2 },
    {
      destinations: new DestinationRules({
        prepare: ({ file }) =>
          file === '/etc/passwd'
            ? { ok: false, refusal: 'file is outside of the recordings' }
            : { ok: true, start: () => ({ stop: () => Promise.resolve() }) },
        keptIds: new Set(['apiRule']),
      }),
      streams: new StreamRules(new FeedHub()),
    },
  )
})

function ask(command: string, texts: ErrorTexts = 'v0.2'): string | undefined {
  return answerAdminCommand(Buffer.from(command), desk, texts)
}

describe('each row of the table of commands', () => {
  test('healthcheck', () => {
    expect(ask('{"verb":"healthcheck"}')).toBe('{"healthcheck":"ok"}')
    expect(ask('{"VERB":"healthcheck"}')).toBe('{"healthcheck":"ok"}')
  })

  test('add destination echoes the rule', () => {
    const command =
      '{"verb":"add","what":"destination","rule":{"stream":"/v","destination":"ws://h/a","id":"q"}}'
    expect(ask(command)).toBe(ruleQ)
    expect(desk.destination('q').destination).toBe('ws://h/a')
  })

  test('add stream echoes the rule', () => {
    const command = '{"verb":"add","what":"stream","rule":{"stream":"/stream/a","feeds":["f"]}}'
    expect(ask(command)).toBe('{"stream":"stream/a","feeds":["f"]}')
    expect(desk.stream('stream/a')?.feeds).toEqual(['f'])
  })

  test('list destinations, all and one, with tokens hidden', () => {
    expect(ask('{"verb":"list","what":"destination","which":"all"}')).toBe('{}')
    ask('{"verb":"add","what":"destination","rule":{"id":"t","token":"a.b.c","destination":"https://h"}}')
    const hidden = '{"id":"t","stream":"","destination":"https://h","token":"(hidden)","file":""}'
    expect(ask('{"verb":"list","what":"destination","which":"all"}')).toBe(`{"t":${hidden}}`)
    expect(ask('{"verb":"list","what":"destination","which":"t"}')).toBe(hidden)
    expect(ask('{"verb":"list","what":"destination","which":"nope"}')).toBe(emptyRule)
    expect(ask('{"verb":"list","what":"destination"}')).toBe(emptyRule)
  })

  test('list streams, all and one', () => {
    expect(ask('{"verb":"list","what":"stream","which":"all"}')).toBe('{}')
    ask('{"verb":"add","what":"stream","rule":{"stream":"stream/a","feeds":["f"]}}')
    expect(ask('{"verb":"list","what":"stream","which":"all"}')).toBe('{"stream/a":["f"]}')
    expect(ask('{"verb":"list","what":"stream","which":"stream/a"}')).toBe('{"feeds":["f"]}')
    expect(ask('{"verb":"list","what":"stream","which":"zip"}')).toBe('{"feeds":null}')
  })

  test('delete destination, one and all', () => {
    ask('{"verb":"add","what":"destination","rule":{"id":"q"}}')
    expect(ask('{"verb":"delete","what":"destination","which":"q"}')).toBe('{"deleted":"q"}')
    expect(desk.listDestinations()).toHaveLength(0)
    ask('{"verb":"add","what":"destination","rule":{"id":"r"}}')
    ask('{"verb":"add","what":"destination","rule":{"id":"apiRule"}}')
    expect(ask('{"verb":"delete","what":"destination","which":"all"}')).toBe('{"deleted":"deleteAll"}')
    expect(desk.listDestinations().map(({ id }) => id)).toEqual(['apiRule'])
  })

  test('delete of the rule that opens this feed is refused', () => {
    const command = '{"verb":"delete","what":"destination","which":"apiRule"}'
    expect(ask(command)).toBe('{"error":"Cannot delete apiRule"}')
    expect(ask(command, 'v0.9')).toBe('{"error":"cannot delete apiRule"}')
  })

  test('delete stream, one, all and none', () => {
    ask('{"verb":"add","what":"stream","rule":{"stream":"stream/a","feeds":["f"]}}')
    expect(ask('{"verb":"delete","what":"stream","which":"stream/a"}')).toBe('{"deleted":"stream/a"}')
    expect(desk.listStreams()).toHaveLength(0)
    ask('{"verb":"add","what":"stream","rule":{"stream":"stream/b","feeds":["f"]}}')
    expect(ask('{"verb":"delete","what":"stream"}')).toBe('{"deleted":""}')
    expect(desk.listStreams()).toHaveLength(1)
    expect(ask('{"verb":"delete","what":"stream","which":"all"}')).toBe('{"deleted":"deleteAll"}')
    expect(desk.listStreams()).toHaveLength(0)
  })

  test.each([
    'Not even JSON',
    '',
    'null',
    '{}',
    '[]',
    '7',
    '{"verb":1}',
    '{"verb":"list","what":"destination","which":7}',
    '{"verb":"zap","what":"destination"}',
    '{"verb":"list","what":"pizza","which":"all"}',
    '{"verb":"list"}',
    '{"verb":"delete","what":"destination"}',
    '{"verb":"delete","what":"destination","which":""}',
    '{"verb":"list","what":"stream"}',
    '{"verb":"healthcheck"} x',
  ])('%s is not recognised', (command) => {
    expect(ask(command)).toBe(unrecognised)
    expect(ask(command, 'v0.9')).toBe('{"error":"unrecognised Command"}')
  })

  test('add with a wrong rule answers in the words of the Go parser', () => {
    expect(ask('{"verb":"add","what":"destination","rule":{"id":7}}')).toBe(
      '{"error":"json: cannot unmarshal number into Go struct field Rule.id of type string"}',
    )
    expect(ask('{"verb":"add","what":"stream","rule":[]}')).toBe(
      '{"error":"json: cannot unmarshal array into Go value of type agg.Rule"}',
    )
  })

  test.each(['destination', 'stream'])('add %s without a rule is refused, and kills nobody', (what) => {
    const refused = '{"error":"add needs a rule: give it under the key rule"}'
    expect(ask(`{"verb":"add","what":"${what}"}`)).toBe(refused)
    expect(ask(`{"verb":"add","what":"${what}","rule":null}`)).toBe(refused)
  })
})

test('a rule that may not run is refused in a sentence', () => {
  expect(ask('{"verb":"add","what":"destination","rule":{"id":"0","file":"/etc/passwd"}}')).toBe(
    '{"error":"file is outside of the recordings"}',
  )
})

test('a token that stands for a hidden one is refused, so that no rule is spoilt by listing and posting it', () => {
  ask('{"verb":"add","what":"destination","rule":{"id":"t","token":"a.b.c"}}')
  expect(ask('{"verb":"add","what":"destination","rule":{"id":"t","token":"(hidden)"}}')).toContain(
    'give the token itself',
  )
  expect(desk.destination('t').token).toBe('a.b.c')
})

test('the number of rules is bounded, and replacing is always possible', () => {
  for (const id of ['a', 'b', 'c']) ask(`{"verb":"add","what":"destination","rule":{"id":"${id}"}}`)
  expect(ask('{"verb":"add","what":"destination","rule":{"id":"d"}}')).toContain('which is the limit')
  expect(ask('{"verb":"add","what":"destination","rule":{"id":"a","stream":"x"}}')).toContain('"stream":"x"')
  for (const name of ['a', 'b']) ask(`{"verb":"add","what":"stream","rule":{"stream":"${name}"}}`)
  expect(ask('{"verb":"add","what":"stream","rule":{"stream":"c"}}')).toContain('which is the limit')
})

test('an error of another agent is not answered, or two would answer each other for ever', () => {
  expect(ask(unrecognised)).toBeUndefined()
  expect(ask('{"error":"unrecognised Command"}')).toBeUndefined()
  expect(ask('{"verb":"healthcheck","error":"x"}')).toBe('{"healthcheck":"ok"}')
})

test('a message of megabytes is no command', () => {
  expect(ask(`{"verb":"healthcheck","x":"${'y'.repeat(70_000)}"}`)).toBe(unrecognised)
})

test('whatever comes, the answer is JSON', () => {
  const word = fc.constantFrom(
    'add',
    'list',
    'delete',
    'destination',
    'stream',
    'all',
    'x',
    '',
    null,
    7,
    {},
    ['a'],
  )
  const rule = fc.record({ id: word, stream: word, feeds: word, token: word }, { requiredKeys: [] })
  const command = fc.record(
    { verb: word, what: word, which: word, rule: fc.oneof(rule, word) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(command, (value) => {
      const answer = ask(JSON.stringify(value))
      return answer === undefined || typeof JSON.parse(answer) === 'object'
    }),
    { numRuns: 1_000 },
  )
})
