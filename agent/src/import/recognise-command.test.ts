import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recogniseCommand } from './recognise-command.ts'
import { unknownMark } from './resolve-word.ts'

const recognise = (
  words: readonly string[],
  variables: ReadonlyMap<string, string> = new Map(),
  stdin?: string,
) => recogniseCommand({ words, stdin, place: 'x line 1', variables })
const split = (line: string) => recognise(line.split(' '))
const rule = '{"stream":"/video","destination":"https://a/session/t","id":"0","token":"a.b.c"}'
const destination = {
  kind: 'part',
  part: { kind: 'destination', stream: 'video', destination: 'https://a/session/t', token: 'a.b.c' },
}

test.each([
  [['curl', '-X', 'POST', '-d', rule, 'http://localhost:8888/api/destinations']],
  [['curl', `--data=${rule}`, 'localhost:8888/api/destinations']],
  [['sudo', '-u', 'pi', 'curl', '--data-raw', rule, 'http://127.0.0.1:8888/api/destinations/']],
  [['timeout', '5', '/usr/bin/curl', '-d', rule, 'http://localhost:8888/api/destinations']],
  [['A=b', 'wget', '--post-data', rule, 'http://localhost:8888/api/destinations']],
])('%j posts a rule', (words) => {
  expect(recognise(words)).toMatchObject(destination)
})

test('the body of a rule may come from stdin', () => {
  const words = ['curl', '-d', '@-', 'http://localhost:8888/api/destinations']
  expect(recognise(words, new Map(), rule)).toMatchObject(destination)
  expect(recognise(words)).toMatchObject({ kind: 'unclear' })
})

test.each([
  ['{"stream":"video"', /is no JSON/],
  [
    `{"stream":"video","destination":"x","token":"${unknownMark}"}`,
    /the token of this rule is only known when/,
  ],
  [`{"stream":${unknownMark}}`, /only known when the script runs/],
  ['{"stream":"video"}', /no destination/],
  ['[]', /no stream/],
  ['null', /no stream/],
])('the rule %j is not taken, and why', (body, why) => {
  const known = recognise(['curl', '-d', body, 'http://localhost:8888/api/destinations'])
  expect(known).toEqual({ kind: 'unclear', why: expect.stringMatching(why) as string })
})

test('a curl that asks or deletes is harmless', () => {
  expect(split('curl http://localhost:8888/healthcheck')).toEqual({ kind: 'harmless' })
  expect(split('curl -X DELETE http://localhost:8888/api/streams/all')).toEqual({ kind: 'harmless' })
})

test('ffmpeg that posts to a feed is a camera; to another place it is not', () => {
  expect(split('ffmpeg -f v4l2 -i /dev/video0 -f mpegts -b:v 1000k http://localhost:8888/ts/video')).toEqual({
    kind: 'part',
    part: {
      kind: 'camera',
      place: 'x line 1',
      feed: 'video',
      input: ['-f', 'v4l2', '-i', '/dev/video0'],
      output: ['-b:v', '1000k'],
    },
  })
  expect(split('ffmpeg -i a.mp4 b.mp4')).toEqual({ kind: 'foreign', program: 'ffmpeg' })
  expect(split('ffmpeg -i a http://192.0.2.1:8888/ts/video')).toMatchObject({ kind: 'unclear' })
  expect(split(`ffmpeg -i ${unknownMark} http://localhost:8888/ts/video`)).toMatchObject({ kind: 'unclear' })
  expect(split('ffmpeg -i a http://localhost:8888/ts/a -i b http://localhost:8888/ts/b')).toMatchObject({
    kind: 'unclear',
  })
})

test.each([
  [
    'socat /dev/ttyACM0,echo=0,b57600,crnl tcp:127.0.0.1:9999',
    { device: '/dev/ttyACM0', baudRate: 57_600, tcpPort: 9999, sendsCrLf: true },
  ],
  [
    'socat -d -d TCP-LISTEN:9999,reuseaddr,fork FILE:/dev/ttyUSB0,raw,b9600',
    { device: '/dev/ttyUSB0', baudRate: 9600, tcpPort: 9999, sendsCrLf: false },
  ],
  [
    'socat open:/dev/serial/by-id/usb-x-if00 TCP4:localhost:9999',
    { device: '/dev/serial/by-id/usb-x-if00', baudRate: undefined, tcpPort: 9999 },
  ],
])('%s is a serial port', (line, part) => {
  expect(split(line)).toMatchObject({ kind: 'part', part: { kind: 'serial', ...part } })
})

test('socat between other things is foreign', () => {
  expect(split('socat tcp-listen:1 tcp:x:2')).toEqual({ kind: 'foreign', program: 'socat' })
  expect(split('socat')).toEqual({ kind: 'foreign', program: 'socat' })
})

test.each([
  [
    'websocat ws://localhost:8888/ws/data tcp-listen:127.0.0.1:9999 --text',
    { feed: 'data', tcpPort: 9999, isText: true },
  ],
  [
    'websocat --binary tcp-l:9999 ws://127.0.0.1:8888/ws/data',
    { feed: 'data', tcpPort: 9999, isText: false },
  ],
])('%s joins a feed to a port', (line, part) => {
  expect(split(line)).toMatchObject({ kind: 'part', part: { kind: 'feed', ...part } })
})

test('the host, its port and its API are known by its variables', () => {
  const variables = new Map([
    ['VW_PORT', '8889'],
    ['VW_API', 'ws://x'],
  ])
  expect(recognise(['/usr/local/bin/session', 'host'], variables)).toMatchObject({
    part: { kind: 'host', port: 8889, hasApi: true },
  })
  expect(recognise(['relay', 'host'], new Map([['VW_PORT', 'many']]))).toMatchObject({
    part: { kind: 'host', port: undefined },
  })
  expect(split('relay serve')).toEqual({ kind: 'foreign', program: 'relay serve' })
})

test.each([
  ['/usr/local/bin/shell', 'SHELLHOST_RELAYSESSION', 'SHELLHOST_TOKEN', 'SHELLHOST_LOCALPORT'],
  ['jump', 'JUMP_HOST_ACCESS', 'JUMP_HOST_TOKEN', 'JUMP_HOST_LOCAL_PORT'],
])('the shell host of %s is known by its variables', (program, session, token, port) => {
  const variables = new Map([
    [session, 'https://relay.example.org/shell/pend00'],
    [token, 'a.b.c'],
    [port, '0x16'],
  ])
  expect(recognise([program, 'host'], variables)).toMatchObject({
    part: {
      kind: 'shell-host',
      session: 'https://relay.example.org/shell/pend00',
      token: 'a.b.c',
      port: 22,
    },
  })
  expect(recognise([program, 'host'], new Map([[token, 'a.b.c']]))).toEqual({
    kind: 'unclear',
    why: `${session} of this shell host does not stand here`,
  })
  expect(recognise([program, 'client'], variables)).toMatchObject({ kind: 'foreign' })
})

test('scripts are followed, and what only keeps a script going is harmless', () => {
  expect(split('bash -e /opt/a.sh')).toEqual({ kind: 'script', path: '/opt/a.sh' })
  expect(recognise(['sh', '-ec', 'a b'])).toEqual({ kind: 'text', text: 'a b' })
  expect(split('. /etc/practable/env')).toEqual({ kind: 'script', path: '/etc/practable/env' })
  expect(split('sleep 10')).toEqual({ kind: 'harmless' })
  expect(split('A=b')).toEqual({ kind: 'harmless' })
  expect(split('stty -F /dev/ttyUSB0 57600 raw')).toMatchObject({ part: { kind: 'speed', baudRate: 57_600 } })
})

test('every list of words is taken', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'curl',
      'ffmpeg',
      'socat',
      'websocat',
      'stty',
      'session',
      'sudo',
      'timeout',
      'sh',
      '-c',
      '-d',
      '-i',
      '-F',
      'http://localhost:8888/api/destinations',
      'http://localhost:8888/ts/a',
      unknownMark,
    ),
    fc.string({ maxLength: 12 }),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      expect(recognise(words)).toHaveProperty('kind')
    }),
    { numRuns: 1_000 },
  )
})
