import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTopicFilter, type TopicFilter, topicProblem } from './topic-filter.ts'

function read(text: string): TopicFilter {
  const parsed = parseTopicFilter(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.filter
}

/** MQTT 5, 4.7, said in another way. */
function fits(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  const pattern = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level === '#' ? '.*' : level.replaceAll('$', '\\$')))
    .join('/')
    .replace(/\/\.\*$/, '(/.*)?')
  return new RegExp(`^${pattern}$`).test(topic)
}

describe('a topic filter', () => {
  test.each([
    ['pend/{rig}/angle', 'pend/+/angle', 'pend/1/angle', { rig: '1' }],
    ['{a}/{b}', '+/+', 'x/', { a: 'x', b: '' }],
    ['pend/{rest#}', 'pend/#', 'pend/a/b', { rest: 'a/b' }],
    ['pend/{rest#}', 'pend/#', 'pend', { rest: '' }],
    ['#', '#', 'any/thing', {}],
  ])('%s is %s for the broker and fits %s', (text, filter, topic, captures) => {
    expect(read(text).filter).toBe(filter)
    expect(Object.fromEntries(read(text).match(topic) ?? [['none', '']])).toEqual(captures)
  })

  test.each([
    '',
    'a/#/b',
    'a+',
    '{a}/{a}',
    '{A}',
    '{a',
    'a/{b#}/c',
    '$share/g/a',
    'a\u0000',
    'x'.repeat(257),
  ])('%j is refused', (text) => {
    expect(parseTopicFilter(text).ok).toBe(false)
  })

  test('fits the topics that the standard says, and no other', () => {
    const level = fc.constantFrom('', 'a', 'b', '$x')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.array(level, { minLength: 1, maxLength: 4 }),
        (levels, hasRest, topicLevels) => {
          const filter = (hasRest ? [...levels, '#'] : levels).join('/')
          const topic = topicLevels.join('/')
          fc.pre(filter !== '' && topic !== '')

          expect(read(filter).match(topic) !== undefined).toBe(fits(filter, topic))
        },
      ),
    )
  })
})

test.each(['', 'a/+', '#', '$SYS/x', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(257)])(
  'nothing is published to %j',
  (topic) => {
    expect(topicProblem(topic)).toBeTypeOf('string')
  },
)
