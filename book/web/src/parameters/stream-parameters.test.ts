import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type LinkParts,
  type ParameterProblem,
  type ReadParameters,
  readParameters,
} from './stream-parameters.ts'

const nowMs = 1_700_000_000_000
const nowS = nowMs / 1000

function tokenWith(claims: object): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2ln`
}

const token = tokenWith({ topic: 'pend01-data', scopes: ['read', 'write'], exp: nowS + 3600 })

/** As `GET /login` of the older booking server answers (booking spec 1.2). */
const olderData = {
  for: 'data',
  permission: {
    audience: 'https://access.example.org',
    connection_type: 'session',
    scopes: ['read', 'write'],
    topic: 'pend01-data',
  },
  token,
  url: 'https://access.example.org/session/pend01-data',
  verb: 'POST',
}
const olderVideo = {
  ...olderData,
  for: 'video',
  url: 'https://access.example.org/session/pend01-video',
  permission: { ...olderData.permission, scopes: ['read'], topic: 'pend01-video' },
  token: tokenWith({ topic: 'pend01-video', scopes: ['read'], exp: nowS + 3600 }),
}
/** As the newer one answers (booking spec 9.4): flat, without `verb`. */
const newerData = {
  audience: 'https://access.example.org',
  connection_type: 'session',
  for: 'data',
  scopes: ['read', 'write'],
  topic: 'pend01-data',
  token,
  url: 'https://access.example.org/session/pend01-data',
}

function inHash(streams: unknown, rest = ''): LinkParts {
  return {
    hash: `#streams=${encodeURIComponent(JSON.stringify(streams))}${rest}`,
    search: '',
    protocol: 'https:',
  }
}

function parametersOf(read: ReadParameters): Extract<ReadParameters, { ok: true }>['parameters'] {
  if (!read.ok) throw new Error(`refused: ${read.problem.code}`)
  return read.parameters
}

function problemOf(parts: LinkParts): ParameterProblem | undefined {
  const read = readParameters(parts, nowMs)
  return read.ok ? undefined : read.problem
}

test('streams of the older generation are read from the fragment', () => {
  const parts = inHash(
    [olderData, olderVideo],
    `&exp=${nowS + 1800}&config=${encodeURIComponent('https://a.example.org/cfg.json')}`,
  )

  const parameters = parametersOf(readParameters(parts, nowMs))

  expect(parameters.video.map((stream) => stream.url)).toEqual([
    'https://access.example.org/session/pend01-video',
  ])
  expect(parameters.data).toMatchObject({ for: 'data', token, canRead: true, canWrite: true })
  expect(parameters.video[0]).toMatchObject({ canRead: true, canWrite: false })
  expect(parameters.expiresAtMs).toBe(nowMs + 1_800_000)
  expect(parameters.config).toBe('https://a.example.org/cfg.json')
})

test('streams of the newer generation, flat and without a verb, are read alike', () => {
  const parameters = parametersOf(readParameters(inHash([newerData]), nowMs))

  expect(parameters.data).toMatchObject({ url: newerData.url, canWrite: true })
  expect(parameters.video).toEqual([])
})

test('old manifests hand over in the query', () => {
  const streams = encodeURIComponent(JSON.stringify([olderData]))

  const read = readParameters(
    { hash: '', search: `?config=&streams=${streams}&exp=${nowS + 60}`, protocol: 'https:' },
    nowMs,
  )

  expect(parametersOf(read).data?.url).toBe(olderData.url)
  expect(parametersOf(read).expiresAtMs).toBe(nowMs + 60_000)
  expect(parametersOf(read).config).toBeUndefined()
})

test('the fragment wins over the query', () => {
  const search = `?streams=${encodeURIComponent(JSON.stringify([olderVideo]))}`

  const parameters = parametersOf(readParameters({ ...inHash([newerData]), search }, nowMs))

  expect(parameters.video).toEqual([])
  expect(parameters.data?.url).toBe(newerData.url)
})

test('a template that encodes twice is understood', () => {
  const twice = encodeURIComponent(encodeURIComponent(JSON.stringify([olderData])))

  const read = readParameters({ hash: `#streams=${twice}`, search: '', protocol: 'https:' }, nowMs)

  expect(read.ok).toBe(true)
})

test('an activity with data alone, or video alone, or two cameras is fine', () => {
  const second = { ...olderVideo, for: 'video1' }

  expect(readParameters(inHash([olderData]), nowMs).ok).toBe(true)
  expect(readParameters(inHash([olderVideo]), nowMs).ok).toBe(true)
  expect(
    parametersOf(readParameters(inHash([olderVideo, second]), nowMs)).video.map((stream) => stream.for),
  ).toEqual(['video', 'video1'])
})

test('streams that the page has no use for are named', () => {
  const audio = { ...olderData, for: 'audio' }

  expect(parametersOf(readParameters(inHash([olderData, audio]), nowMs)).unused).toEqual(['audio'])
})

test('a stream without a name is known by its topic, or else by its address', () => {
  const { for: _olderFor, ...unnamed } = olderVideo
  const { for: _newerFor, topic: _topic, ...bare } = { ...newerData, token: 'opaque' }

  const parameters = parametersOf(readParameters(inHash([unnamed, bare]), nowMs))

  expect(parameters.video[0]?.for).toBe('pend01-video')
  expect(parameters.data?.for).toBe('pend01-data')
})

test('what the token allows counts, not what the booking page says of it', () => {
  const readOnly = { ...newerData, token: tokenWith({ scopes: ['read'], exp: nowS + 60 }) }

  expect(parametersOf(readParameters(inHash([readOnly]), nowMs)).data?.canWrite).toBe(false)
})

test('the earliest end counts', () => {
  const parameters = parametersOf(readParameters(inHash([newerData], `&exp=${nowS + 9999}`), nowMs))

  expect(parameters.expiresAtMs).toBe(nowMs + 3_600_000)
})

test('an end in milliseconds is understood, as no booking ends in the year 5138', () => {
  expect(parametersOf(readParameters(inHash([newerData], `&exp=${nowMs + 60_000}`), nowMs)).expiresAtMs).toBe(
    nowMs + 60_000,
  )
})

test('variables that a template left unfilled count as absent', () => {
  const parameters = parametersOf(
    readParameters(inHash([newerData], '&exp={{exp}}&config={{config}}'), nowMs),
  )

  expect(parameters.expiresAtMs).toBe(nowMs + 3_600_000)
  expect(parameters.config).toBeUndefined()
})

test.for<[name: string, parts: LinkParts, problem: ParameterProblem]>([
  ['nothing at all', { hash: '', search: '', protocol: 'https:' }, { code: 'no-streams' }],
  ['an empty value', { hash: '#streams=', search: '', protocol: 'https:' }, { code: 'no-streams' }],
  ['not JSON', { hash: '#streams=%5B%7Bfoo', search: '', protocol: 'https:' }, { code: 'bad-json' }],
  ['a broken escape', { hash: '#streams=%25zz', search: '', protocol: 'https:' }, { code: 'bad-json' }],
  ['an object', inHash({ data: newerData }), { code: 'not-a-list' }],
  ['null', inHash(null), { code: 'not-a-list' }],
  ['an empty list', inHash([]), { code: 'empty-list' }],
  ['a number in the list', inHash([newerData, 7]), { code: 'bad-stream', position: 2, field: 'stream' }],
  [
    'no address',
    inHash([{ ...newerData, url: undefined }]),
    { code: 'bad-stream', position: 1, field: 'url' },
  ],
  [
    'an address of a script',
    inHash([{ ...newerData, url: 'javascript:alert(1)' }]),
    { code: 'bad-stream', position: 1, field: 'url' },
  ],
  [
    'half an address',
    inHash([{ ...newerData, url: 'https://' }]),
    { code: 'bad-stream', position: 1, field: 'url' },
  ],
  ['no token', inHash([{ ...newerData, token: '' }]), { code: 'bad-stream', position: 1, field: 'token' }],
  [
    'a token that no header can carry',
    inHash([{ ...newerData, token: 'ab\ncd' }]),
    { code: 'bad-stream', position: 1, field: 'token' },
  ],
  [
    'a token that is no text',
    inHash([{ ...newerData, token: 5 }]),
    { code: 'bad-stream', position: 1, field: 'token' },
  ],
  [
    'an insecure address on a secure page',
    inHash([{ ...newerData, url: 'http://relay.example.org/session/x' }]),
    { code: 'insecure-stream', position: 1 },
  ],
  [
    'neither video nor data',
    inHash([{ ...newerData, for: 'audio' }]),
    { code: 'no-usable-stream', names: ['audio'] },
  ],
  ['an end that is no number', inHash([newerData], '&exp=tomorrow'), { code: 'bad-exp', text: 'tomorrow' }],
  [
    'an end that has passed',
    inHash([newerData], `&exp=${nowS - 5}`),
    { code: 'expired', endedAtMs: nowMs - 5000 },
  ],
  [
    'a token that has expired',
    inHash([{ ...newerData, token: tokenWith({ exp: nowS }) }]),
    { code: 'expired', endedAtMs: nowMs },
  ],
])('%s is refused with its own reason', ([_name, parts, problem]) => {
  expect(problemOf(parts)).toEqual(problem)
})

test('an insecure address is fine on an insecure page, and on this machine', () => {
  const insecure = [{ ...newerData, url: 'http://relay.example.org/session/x' }]
  const local = [{ ...newerData, url: 'http://127.0.0.1:8082/session/x' }]

  expect(problemOf({ ...inHash(insecure), protocol: 'http:' })).toBeUndefined()
  expect(problemOf(inHash(local))).toBeUndefined()
})

test('whatever stands in the link, the answer is parameters or a reason, never an exception', () => {
  const hash = fc.oneof(
    fc.string().map((text) => `#${text}`),
    fc.jsonValue().map((value) => inHash(value).hash),
    fc
      .array(
        fc.record({ for: fc.string(), url: fc.webUrl(), token: fc.string(), permission: fc.jsonValue() }),
      )
      .map((value) => inHash(value).hash),
  )
  fc.assert(
    fc.property(hash, fc.string(), (fragment, search) => {
      const read = readParameters({ hash: fragment, search, protocol: 'https:' }, nowMs)
      return read.ok
        ? read.parameters.video.length + (read.parameters.data === undefined ? 0 : 1) > 0
        : read.problem.code !== undefined
    }),
  )
})
