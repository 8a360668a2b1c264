import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTemplate, renderTemplate, type Template, type TemplateForm } from './template.ts'

const names = ['topic', 'json', 'rig']

function read(text: string, form: TemplateForm = 'json'): Template {
  const parsed = parseTemplate(text, { form, names })
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.template
}

describe('a template', () => {
  test.each([
    ['{"t":${topic}}', 'json', '{"t":"a\\"b"}'],
    ['{"t":"is ${topic}!"}', 'json', '{"t":"is a\\"b!"}'],
    ['[${json},${json.axes.1},${json.none},"${json.none}"]', 'json', '[{"axes":[1,2]},2,null,""]'],
    ['t=${topic} ${json.axes}', 'text', 't=a"b [1,2]'],
    ['${ topic }', 'text', 'a"b'],
    ['no hole: $ {} $x', 'text', 'no hole: $ {} $x'],
  ] as const)('%s of the form %s gives %s', (text, form, expected) => {
    const values: Readonly<Record<string, unknown>> = { topic: 'a"b', json: { axes: [1, 2] } }
    const rendered = renderTemplate(read(text, form), ({ name, path }) =>
      path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], values[name]),
    )

    expect(rendered).toBe(expected)
  })

  test.each([
    ['{"t":${topic}', /not JSON/],
    ['{${topic}:1}', /not JSON/],
    ['${topic', /no "\}"/],
    ['${}', /no hole/],
    ['${process.exit()}', /no hole/],
    ['${constructor}', /there is no "constructor"/],
    ['${other}', /topic, json, rig/],
    ['${topic}'.repeat(65), /more than 64 holes/],
    [`"${'x'.repeat(5000)}"`, /longer than 4096/],
  ])('%s is refused with the reason', (text, problem) => {
    expect(parseTemplate(text, { form: 'json', names })).toMatchObject({
      ok: false,
      problem: expect.stringMatching(problem) as string,
    })
  })

  test('of the form json gives JSON with the values in their places, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }), (value, text) => {
        const template = read('{"v":${json},"in":"<${topic}>","list":[${topic}]}')
        const rendered = renderTemplate(template, ({ name }) => (name === 'json' ? value : text))

        expect(JSON.parse(rendered)).toEqual({
          v: JSON.parse(JSON.stringify(value)) as unknown,
          in: `<${text}>`,
          list: [text],
        })
      }),
    )
  })

  test('never throws, whatever is written there', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('$', '{', '}', '"', '\\', 'a', '.', ' ', ',', ':'),
          maxLength: 40,
        }),
        fc.constantFrom<TemplateForm>('json', 'text'),
        (text, form) => {
          const parsed = parseTemplate(text, { form, names: ['a'] })
          if (parsed.ok) renderTemplate(parsed.template, () => 'x')
        },
      ),
    )
  })
})
