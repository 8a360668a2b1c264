import fc from 'fast-check'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { type ConfigSources, loadConfig } from './load-config.ts'
import { Bytes, Duration, Section } from './schema.ts'

const schema = Section({
  audience: Type.String({
    description: 'address of the access API',
    env: ['RELAY_ACCESSFQDN'],
    pattern: '^https?://',
    expected: 'an address that begins with https:// or http://',
  }),
  secret: Type.String({ description: 'shared secret', secret: true, minLength: 4 }),
  isStrict: Type.Boolean({
    description: 'refuse tokens without booking',
    default: true,
    env: ['RELAY_STRICT', 'OLD_STRICT'],
  }),
  logLevel: Type.Enum(['info', 'warn'], { description: 'least level', default: 'info' }),
  mode: Type.Union([Type.Literal('text'), Type.Literal('binary')], { description: 'mode', default: 'text' }),
  lengthBytes: Type.Enum([1, 2, 4], { description: 'bytes of a length', default: 2 }),
  origins: Type.Array(Type.String({ minLength: 1 }), {
    description: 'allowed origins',
    default: ['*'],
    uniqueItems: true,
  }),
  ports: Type.Array(Type.Integer(), { description: 'more ports', default: [] }),
  access: Section({
    port: Type.Integer({
      description: 'port of the access API',
      default: 8082,
      minimum: 0,
      maximum: 65_535,
      env: ['RELAY_ACCESSPORT'],
    }),
    host: Type.String({ description: 'address to listen at', default: '', maxLength: 50 }),
    limits: Section({
      perSec: Type.Number({ description: 'requests per second', default: 2.5, minimum: 0.1 }),
    }),
  }),
  codeLifetime: Duration({ description: 'life of a code', default: '30s' }),
  maxMessage: Bytes({ description: 'largest message', default: '10MiB' }),
  cameras: Type.Array(
    Section({
      name: Type.String({ description: 'name', minLength: 1 }),
      password: Type.Optional(Type.String({ description: 'password', secret: true })),
      stallAfter: Duration({ description: 'restart after', default: '5s' }),
    }),
    { description: 'cameras', default: [], minItems: 0, maxItems: 3 },
  ),
  stats: Type.Optional(
    Section({ every: Duration({ description: 'pause', default: '5s' }) }, { optional: true }),
  ),
})
const spec = { program: 'relay', envPrefix: 'RELAY', schema }
const needed = { RELAY_AUDIENCE: 'https://access.example.io', RELAY_SECRET: 'hunter22' }

const load = (sources: ConfigSources = {}): ReturnType<typeof loadConfig<typeof schema>> =>
  loadConfig(spec, { ...sources, environment: { ...needed, ...sources.environment } })
const inFile = (text: string): ConfigSources => ({ file: { path: 'relay.yaml', text } })

/** The problems that are reported; none of them may show the secret. */
function problemsOf(sources: ConfigSources): readonly string[] {
  const error = configErrorOf(sources)
  expect(error.code).toBe('CONFIG_INVALID')
  expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2')
  return error.details.problems as readonly string[]
}

function configErrorOf(sources: ConfigSources): ConfigError {
  try {
    loadConfig(spec, sources)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('nothing is wrong with it')
}

describe('a value comes', () => {
  test('from its default', () => {
    expect(load()).toMatchObject({
      isStrict: true,
      logLevel: 'info',
      origins: ['*'],
      access: { port: 8082, host: '', limits: { perSec: 2.5 } },
      codeLifetime: 30_000,
      maxMessage: 10_485_760,
      cameras: [],
    })
    expect(load()).not.toHaveProperty('stats')
  })

  test.each<readonly [string, ConfigSources, number]>([
    ['the file before the default', inFile('access:\n  port: 1\n'), 1],
    [
      'an older variable before the file',
      { ...inFile('access: {port: 1}'), environment: { RELAY_ACCESSPORT: '2' } },
      2,
    ],
    [
      'its variable before an older one',
      { environment: { RELAY_ACCESSPORT: '2', RELAY_ACCESS_PORT: '3' } },
      3,
    ],
    [
      'the argument before all',
      {
        ...inFile('access: {port: 1}'),
        environment: { RELAY_ACCESS_PORT: '3' },
        arguments: { 'access-port': '4' },
      },
      4,
    ],
    [
      'an empty variable is none',
      { ...inFile('access: {port: 1}'), environment: { RELAY_ACCESS_PORT: '' } },
      1,
    ],
    [
      'an empty variable hides no older one',
      { environment: { RELAY_ACCESS_PORT: '', RELAY_ACCESSPORT: '2' } },
      2,
    ],
    ['blanks around a number do no harm', { environment: { RELAY_ACCESS_PORT: ' 5 ' } }, 5],
    ['other arguments are left alone', { arguments: { _: ['serve'], $0: 'relay', accessPort: '9' } }, 8082],
  ])('from %s', (_name, sources, port) => {
    expect(load(sources).access.port).toBe(port)
  })

  test.each([
    ...['1', 't', 'T', 'TRUE', 'true', 'True', 'yes', 'on'].map((text) => [text, true] as const),
    ...['0', 'f', 'F', 'FALSE', 'false', 'False', 'no', 'off'].map((text) => [text, false] as const),
  ])('from %s in the environment as %s', (text, value) => {
    expect(load({ environment: { RELAY_IS_STRICT: text } }).isStrict).toBe(value)
  })

  test('from older names in their order', () => {
    expect(load({ environment: { RELAY_STRICT: '0', OLD_STRICT: '1' } }).isStrict).toBe(false)
    expect(load({ environment: { OLD_STRICT: '0' } }).isStrict).toBe(false)
  })

  test.each([
    ['a, b,c', ['a', 'b', 'c']],
    ['a', ['a']],
  ])('from a list with commas: %s', (text, origins) => {
    expect(load({ environment: { RELAY_ORIGINS: text } }).origins).toEqual(origins)
  })

  test('from an empty argument as an empty list, and lists of numbers as numbers', () => {
    const config = load({ arguments: { origins: '' }, environment: { RELAY_PORTS: '1,22' } })
    expect(config).toMatchObject({ origins: [], ports: [1, 22] })
  })

  test('from a choice of numbers as a number', () => {
    expect(load({ environment: { RELAY_LENGTH_BYTES: '4' } }).lengthBytes).toBe(4)
  })

  test('into a section that is absent, empty or there', () => {
    const environment = { RELAY_STATS_EVERY: '7s' }
    for (const text of ['', 'stats:\n', 'stats: {every: 9s}']) {
      expect(load({ ...inFile(text), environment }).stats).toEqual({ every: 7000 })
    }
  })

  test('in a list of sections with the defaults of its kind', () => {
    expect(load(inFile('cameras:\n  - name: front\n  - {name: side, stallAfter: 1m}\n')).cameras).toEqual([
      { name: 'front', stallAfter: 5000 },
      { name: 'side', stallAfter: 60_000 },
    ])
  })
})

test('a section or list without content says no more than leaving it out', () => {
  expect(load(inFile('access:\ncameras:\norigins:\nstats:\n'))).toEqual(load())
  expect(load(inFile('access:\n  limits:\n')).access.limits.perSec).toBe(2.5)
})

test('the result is frozen to the bottom', () => {
  const config = load(inFile('cameras: [{name: a}]'))
  for (const part of [
    config,
    config.access,
    config.access.limits,
    config.cameras,
    config.cameras[0],
    config.origins,
  ]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
})

test('neither the schema nor another result changes', () => {
  const before = JSON.stringify(schema)
  load(inFile('origins: [a]\naccess: {port: 5}'))
  expect(load().origins).toEqual(['*'])
  expect(JSON.stringify(schema)).toBe(before)
})

describe('what is wrong', () => {
  test('is reported all at once, each where it was written', () => {
    const file = [
      'audience: ftp://access.example.io',
      'secret: 12',
      'isStrict: yes',
      'logLevel: loud',
      'mode: none',
      'origins: [a, a]',
      'access:',
      '  prot: 1',
      '  host: 5',
      '  limits: 7',
      'codeLifetime: 30',
      'maxMessage: 10MB',
      'cameras:',
      '  - name: front',
      '    password: [hunter2]',
      '    stalAfter: 1s',
      '  - stallAfter: soon',
      'colour: red',
    ].join('\n')
    const environment = { RELAY_ACCESS_PORT: '70000', RELAY_LENGTH_BYTES: '3', RELAY_PORTS: '1,x' }

    expect([...problemsOf({ ...inFile(file), environment })].sort()).toEqual(
      [
        'relay.yaml line 1: audience: "ftp://access.example.io" is not an address that begins with https:// or http://',
        'relay.yaml line 2: secret: the value is not a text of at least 4 characters; put it in quotes',
        'relay.yaml line 3: isStrict: "yes" is not true or false',
        'relay.yaml line 4: logLevel: "loud" is not one of info, warn',
        'relay.yaml line 5: mode: "none" is not one of text, binary',
        'relay.yaml line 6: origins: the list has the same entry twice',
        'relay.yaml line 8: access.prot: there is no such key; did you mean "port"?',
        'relay.yaml line 9: access.host: 5 is not a text of at most 50 characters; put it in quotes',
        'relay.yaml line 10: access.limits: 7 is not a section with keys of its own',
        'relay.yaml line 11: codeLifetime: 30 is not a duration such as 500ms, 30s or 1h',
        'relay.yaml line 12: maxMessage: "10MB" is not a size such as 64KiB or 10MiB',
        'relay.yaml line 15: cameras[0].password: the value is not a text',
        'relay.yaml line 16: cameras[0].stalAfter: there is no such key; did you mean "stallAfter"?',
        'relay.yaml line 17: cameras[1].name: it is missing (name)',
        'relay.yaml line 17: cameras[1].stallAfter: "soon" is not a duration such as 500ms, 30s or 1h',
        'relay.yaml line 18: colour: there is no such key; known here: audience, secret, isStrict, logLevel, mode, lengthBytes, origins, ports, access, codeLifetime, maxMessage, cameras, stats',
        'RELAY_ACCESS_PORT: 70000 is not a whole number from 0 to 65535',
        'RELAY_LENGTH_BYTES: "3" is not one of 1, 2, 4',
        'RELAY_PORTS: "x" is not a whole number',
      ].sort(),
    )
  })

  test('names the argument or the variable by which it came, and is one message', () => {
    expect(() => load({ environment: { RELAY_ACCESSPORT: 'eighty' } })).toThrow(
      'the configuration of relay is wrong\n  RELAY_ACCESSPORT: "eighty" is not a whole number from 0 to 65535',
    )
    expect(() => load({ arguments: { 'access-port': '' } })).toThrow(
      '--access-port: it is empty; it needs a whole number from 0 to 65535',
    )
  })

  test('a setting that is missing tells how to set it, but no argument for a secret', () => {
    expect(problemsOf({})).toEqual([
      'audience: it is missing (address of the access API); set it in the file or by RELAY_AUDIENCE or --audience',
      'secret: it is missing (shared secret); set it in the file or by RELAY_SECRET',
    ])
    expect(problemsOf(inFile('{}'))[0]).toMatch(/^relay\.yaml: audience: it is missing/)
  })

  test('a value that is empty tells what it needs', () => {
    expect(problemsOf({ ...inFile('codeLifetime:\naccess: {port: }'), environment: needed })).toEqual([
      'relay.yaml line 2: access.port: it is empty; it needs a whole number from 0 to 65535',
      'relay.yaml line 1: codeLifetime: it is empty; it needs a duration such as 500ms, 30s or 1h',
    ])
  })

  test('a value where a section belongs is not hidden by what comes from elsewhere', () => {
    expect(
      problemsOf({ ...inFile('access: 5'), environment: { ...needed, RELAY_ACCESS_PORT: '4' } }),
    ).toEqual(['relay.yaml line 1: access: 5 is not a section with keys of its own'])
  })

  test('a file that cannot be read is told, and not what may stand in it', () => {
    expect(problemsOf({ ...inFile('audience: "x\n'), environment: { RELAY_ACCESS_PORT: 'x' } })).toEqual([
      'relay.yaml line 2: a closing quote, a bracket or a colon is missing',
      'RELAY_ACCESS_PORT: "x" is not a whole number from 0 to 65535',
    ])
  })

  test('keys with the names of built-in things are unknown keys', () => {
    const problems = problemsOf({
      ...inFile('__proto__: {port: 1}\nconstructor: 1\ntoString: 1\nhasOwnProperty: 1\n'),
      environment: needed,
    })
    expect(problems).toHaveLength(4)
    for (const problem of problems) expect(problem).toContain('there is no such key')
  })

  test('a long wrong value is cut', () => {
    const [problem] = problemsOf({ ...inFile(`logLevel: ${'x'.repeat(5000)}`), environment: needed })
    expect(problem?.length).toBeLessThan(200)
  })

  test('in a hundred places is told a hundred times', () => {
    const text = Array.from({ length: 90 }, (_, index) => `unknown-setting-${index}: 1`).join('\n')
    expect(problemsOf({ ...inFile(text), environment: needed })).toHaveLength(90)
  })
})

describe('a secret is never shown', () => {
  test.each<readonly [string, ConfigSources]>([
    ['of a wrong type in the file', inFile('secret: [hunter2]')],
    ['that is a section', inFile('secret: {a: hunter2}')],
    ['that is too short', { environment: { RELAY_SECRET: 'hun' } }],
    ['in a list', inFile('cameras: [{name: a, password: {x: hunter2}}]')],
    ['where a section belongs', inFile('access: [hunter2]')],
    ['in a section of a wrong type', inFile('cameras: {password: hunter2}')],
    ['under an unknown key', inFile('secrte: hunter2')],
    ['in broken YAML', inFile('secret: "hunter2\n')],
    ['as an alias', inFile('secret: *hunter2')],
    ['as an unknown tag', inFile('secret: !hunter2')],
  ])('%s', (_name, sources) => {
    // `problemsOf` looks for it.
    expect(problemsOf(sources).length).toBeGreaterThan(0)
  })
})

test('whatever the file and the environment hold, there is a value or a list of sentences', {
  timeout: 60_000,
}, () => {
  const key = fc.constantFrom(
    'audience',
    'secret',
    'access',
    'port',
    'host',
    'limits',
    'cameras',
    'name',
    'origins',
    'stats',
    'codeLifetime',
    '__proto__',
    'x/y~z',
  )
  const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double()),
    tree: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.dictionary(key, tie('tree')),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))
  const variable = fc.constantFrom(
    'RELAY_SECRET',
    'RELAY_ACCESS_PORT',
    'RELAY_ORIGINS',
    'RELAY_CODE_LIFETIME',
    'RELAY_STATS_EVERY',
    'RELAY_IS_STRICT',
  )
  fc.assert(
    fc.property(fc.dictionary(key, tree), fc.dictionary(variable, fc.string()), (content, environment) => {
      expect(outcomeOf({ ...inFile(JSON.stringify(content)), environment })).toMatch(
        /^(?:value|CONFIG_INVALID)$/,
      )
    }),
    { numRuns: 150 },
  )
})

function outcomeOf(sources: ConfigSources): string {
  try {
    loadConfig(spec, sources)
    return 'value'
  } catch (error) {
    return error instanceof ConfigError ? error.code : String(error)
  }
}
