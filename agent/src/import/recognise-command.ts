import { basename } from 'node:path'
import { goInteger } from '@relay/common/go-value'
import type { OldPart, Place } from './old-part.ts'
import { unknownMark } from './resolve-word.ts'

export interface ResolvedCommand {
  /** The program and its arguments; `unknownMark` stands in them for what is not known. */
  readonly words: readonly string[]
  readonly stdin: string | undefined
  readonly place: Place
  readonly variables: ReadonlyMap<string, string>
}

export type Recognised =
  | { readonly kind: 'part'; readonly part: OldPart }
  /** It has to do with this, and cannot be taken over for a reason. */
  | { readonly kind: 'unclear'; readonly why: string }
  /** Another script: it is read as well. */
  | { readonly kind: 'script'; readonly path: string }
  /** The text of a script. */
  | { readonly kind: 'text'; readonly text: string }
  /** It changes nothing that counts here. */
  | { readonly kind: 'harmless' }
  | { readonly kind: 'foreign'; readonly program: string }

/** Programs of boot scripts that carry nothing themselves. */
const harmless = new Set(
  'sleep echo printf cd set export source test [ [[ true false if then else elif fi for while until do done exit mkdir rm cat chmod chown wait trap read logger date local return shift unset : { } break continue kill pkill killall systemctl modprobe v4l2-ctl udevadm'.split(
    ' ',
  ),
)

/** Words before a command that run it. */
const carriers = new Set(
  'sudo exec nohup env command time nice ionice stdbuf setsid then do else ! { if while until'.split(' '),
)

/** Says what a command of an old device's script or unit does. Pure; takes every list of words. */
export function recogniseCommand(command: ResolvedCommand): Recognised {
  const words = withoutCarriers(command.words)
  const [program = '', ...args] = words
  const { place } = command
  if (program === '' || /^[A-Za-z_]\w*=/.test(program)) return { kind: 'harmless' }
  switch (basename(program)) {
    case 'curl':
    case 'wget':
      return recogniseCurl(args, command)
    case 'ffmpeg':
      return recogniseFfmpeg(args, place)
    case 'socat':
      return recogniseSocat(args, place)
    case 'websocat':
      return recogniseWebsocat(args, place)
    case 'stty':
      return recogniseStty(args, place)
    case 'shell':
      return recogniseShellHost(args, command, shellVariables)
    case 'jump':
      return recogniseShellHost(args, command, jumpVariables)
    case 'session':
    case 'relay':
    case 'vw':
      return recogniseHost(basename(program), args, command)
    case 'sh':
    case 'bash':
    case 'dash':
      return recogniseShell(args)
    case '.':
    case 'source':
      return args[0] === undefined ? { kind: 'harmless' } : script(args[0])
    default:
      if (harmless.has(basename(program))) return { kind: 'harmless' }
      return program.startsWith('/') && !program.includes(unknownMark)
        ? script(program)
        : { kind: 'foreign', program: basename(program) }
  }
}

function script(path: string): Recognised {
  return path.startsWith('/') && !path.includes(unknownMark)
    ? { kind: 'script', path }
    : { kind: 'foreign', program: basename(path.replaceAll(unknownMark, '?')) }
}

function withoutCarriers(words: readonly string[]): readonly string[] {
  let rest = words
  for (;;) {
    const [first = ''] = rest
    const name = basename(first)
    if (carriers.has(first) || (first.startsWith('/') && carriers.has(name))) rest = rest.slice(1)
    else if (name === 'timeout' || name === 'chrt')
      rest = rest.slice(rest[1]?.startsWith('-') === true ? 3 : 2)
    // Options of what carries it, with a value or without, and variables for the command alone.
    else if (rest !== words && /^-[ugncC]$/.test(first)) rest = rest.slice(2)
    else if (rest !== words && /^(?:-|[A-Za-z_]\w*=)/.test(first)) rest = rest.slice(1)
    else if (/^[A-Za-z_]\w*=/.test(first) && rest.length > 1) rest = rest.slice(1)
    else return rest
  }
}

function recogniseShell(args: readonly string[]): Recognised {
  const at = args.findIndex((argument) => /^-[a-z]*c$/.test(argument))
  if (at >= 0) return { kind: 'text', text: args[at + 1] ?? '' }
  const path = args.find((argument) => !argument.startsWith('-'))
  return path === undefined ? { kind: 'harmless' } : script(path)
}

const localHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/

function recogniseCurl(args: readonly string[], { stdin, place }: ResolvedCommand): Recognised {
  const url = args
    .map((argument) => URL.parse(argument.includes('://') ? argument : `http://${argument}`))
    .find(
      (candidate) => candidate !== null && /^\/api\/(?:destinations|streams)\/?$/.test(candidate.pathname),
    )
  if (url === undefined || url === null) return { kind: 'harmless' }
  const isDelete = args.some(
    (argument, index) => /^(?:-X|--request)$/.test(args[index - 1] ?? '') && argument === 'DELETE',
  )
  if (isDelete || args.includes('-XDELETE')) return { kind: 'harmless' }
  const body = curlBody(args, stdin)
  const what = url.pathname.includes('streams') ? 'rule of a stream' : 'rule of a destination'
  if (body === undefined) return { kind: 'unclear', why: `this ${what} has no body that stands here` }
  let rule: unknown
  try {
    rule = JSON.parse(body)
  } catch {
    return {
      kind: 'unclear',
      why: body.includes(unknownMark)
        ? `this ${what} holds something that is only known when the script runs`
        : `the body of this ${what} is no JSON`,
    }
  }
  return url.pathname.includes('streams') ? streamRule(rule, place) : destinationRule(rule, place)
}

function curlBody(args: readonly string[], stdin: string | undefined): string | undefined {
  const data = /^(?:-d|--data|--data-raw|--data-binary|--data-ascii|--json|--post-data|--body-data)$/
  for (const [index, argument] of args.entries()) {
    const value = data.test(argument)
      ? args[index + 1]
      : (/^--(?:data(?:-\w+)?|json|post-data|body-data)=([^]*)$/.exec(argument)?.[1] ??
        /^-d([^]+)$/.exec(argument)?.[1])
    if (value === undefined) continue
    // Files of rules are rare, and what is not on this machine any more cannot be read.
    return value.startsWith('@') ? (value === '@-' ? stdin : undefined) : value
  }
  return undefined
}

function member(rule: unknown, name: string): unknown {
  if (typeof rule !== 'object' || rule === null) return undefined
  return Object.entries(rule).find(([key]) => key.toLowerCase() === name)?.[1]
}

function destinationRule(rule: unknown, place: Place): Recognised {
  const text = (name: string): string => {
    const value = member(rule, name)
    return typeof value === 'string' ? value : ''
  }
  const fields = {
    stream: text('stream').replace(/^\//, ''),
    destination: text('destination'),
    token: text('token'),
    file: text('file'),
  }
  if (fields.stream === '' || fields.destination === '')
    return { kind: 'unclear', why: 'this rule of a destination names no stream or no destination' }
  const hidden = Object.entries(fields).find(([, value]) => value.includes(unknownMark))
  if (hidden !== undefined)
    return { kind: 'unclear', why: `the ${hidden[0]} of this rule is only known when the script runs` }
  return { kind: 'part', part: { kind: 'destination', place, ...fields } }
}

function streamRule(rule: unknown, place: Place): Recognised {
  const stream = member(rule, 'stream')
  const feeds = member(rule, 'feeds')
  const isList =
    Array.isArray(feeds) && feeds.every((feed) => typeof feed === 'string' && !feed.includes(unknownMark))
  if (typeof stream !== 'string' || stream.includes(unknownMark) || !isList)
    return { kind: 'unclear', why: 'this rule of a stream names no stream or no feeds' }
  return {
    kind: 'part',
    part: { kind: 'stream', place, stream: stream.replace(/^\//, ''), feeds: feeds as string[] },
  }
}

const feedUrl = /^https?:\/\/([^/:]+|\[[^\]]+\])(?::\d+)?\/ts\/([a-zA-Z0-9\-/]+)$/

function recogniseFfmpeg(args: readonly string[], place: Place): Recognised {
  const outputs = args.filter((argument) => feedUrl.test(argument))
  const target = args.at(-1) ?? ''
  const [, host = '', feed = ''] = feedUrl.exec(target) ?? []
  if (outputs.length === 0)
    return /:8888\b|\/ts\//.test(target) || target.includes(unknownMark)
      ? { kind: 'unclear', why: 'the address that this ffmpeg sends to is only known when it runs' }
      : { kind: 'foreign', program: 'ffmpeg' }
  if (outputs.length > 1 || feed === '')
    return { kind: 'unclear', why: 'this ffmpeg has several outputs, which one camera here cannot have' }
  if (!localHost.test(host)) return { kind: 'unclear', why: 'this ffmpeg sends to another machine' }
  if (args.some((argument) => argument.includes(unknownMark)))
    return { kind: 'unclear', why: 'an argument of this ffmpeg is only known when it runs' }
  const lastInput = args.lastIndexOf('-i')
  if (lastInput < 0 || lastInput + 1 >= args.length - 1)
    return { kind: 'unclear', why: 'this ffmpeg has no input' }
  const input = args.slice(0, lastInput + 2)
  const output = withoutPair(args.slice(lastInput + 2, -1), '-f', 'mpegts')
  return { kind: 'part', part: { kind: 'camera', place, feed, input, output } }
}

function withoutPair(args: readonly string[], name: string, value: string): readonly string[] {
  const at = args.findIndex((argument, index) => argument === name && args[index + 1] === value)
  return at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)]
}

function recogniseSocat(args: readonly string[], place: Place): Recognised {
  const addresses = args.filter((argument) => !argument.startsWith('-')).slice(-2)
  const serial = addresses.find((address) => serialPath(address) !== undefined)
  if (serial === undefined) return { kind: 'foreign', program: 'socat' }
  const device = serialPath(serial) ?? ''
  const options = serial
    .split(',')
    .slice(1)
    .map((option) => option.toLowerCase())
  if (serial.includes(unknownMark))
    return { kind: 'unclear', why: 'the serial port of this socat is only known when it runs' }
  const speed = options
    .map((option) => /^(?:b|ispeed=|ospeed=)(\d{2,8})$/.exec(option)?.[1])
    .find((text) => text !== undefined)
  const other = addresses.find((address) => address !== serial) ?? ''
  return {
    kind: 'part',
    part: {
      kind: 'serial',
      place,
      device,
      baudRate: speed === undefined ? undefined : Number(speed),
      tcpPort: tcpPort(other),
      sendsCrLf: options.includes('crnl'),
    },
  }
}

function serialPath(address: string): string | undefined {
  const path = /^(?:(?:file|gopen|open):)?([^,]+)/i.exec(address)?.[1] ?? ''
  return /^\/dev\/(?:tty|serial|.*(?:USB|ACM|arduino))/i.test(path) ? path : undefined
}

function tcpPort(address: string): number | undefined {
  const text =
    /^(?:tcp|tcp4|tcp6|tcp-listen|tcp4-listen|tcp-l|tcp4-l|tcp-connect|l-tcp|listen-tcp):(?:[^,]*:)?(\d{1,5})(?:,|$)/i.exec(
      address,
    )?.[1]
  return text === undefined ? undefined : Number(text)
}

function recogniseWebsocat(args: readonly string[], place: Place): Recognised {
  const url = args.find((argument) => /^(?:autoreconnect:)?wss?:\/\//.test(argument))
  const [, host = '', feed = ''] =
    /^(?:autoreconnect:)?wss?:\/\/([^/:]+|\[[^\]]+\])(?::\d+)?\/ws\/([a-zA-Z0-9\-/]+)$/.exec(url ?? '') ?? []
  if (url === undefined || feed === '')
    return { kind: 'unclear', why: 'this websocat is joined to no feed that is known here' }
  if (!localHost.test(host)) return { kind: 'unclear', why: 'this websocat is joined to another machine' }
  const port = args
    .map((argument) => tcpPort(argument.replace(/^(?:autoreconnect|reuse|broadcast):/, '')))
    .find((found) => found !== undefined)
  const isText = !args.some((argument) => argument === '--binary' || argument === '-b')
  return { kind: 'part', part: { kind: 'feed', place, feed, tcpPort: port, isText } }
}

function recogniseStty(args: readonly string[], place: Place): Recognised {
  const at = args.findIndex((argument) => argument === '-F' || argument === '--file')
  const device =
    at >= 0 ? (args[at + 1] ?? '') : (args.find((argument) => argument.startsWith('--file='))?.slice(7) ?? '')
  const speed = args.find((argument, index) => index !== at + 1 && /^\d{2,8}$/.test(argument))
  if (!device.startsWith('/dev/') || device.includes(unknownMark) || speed === undefined)
    return { kind: 'harmless' }
  return { kind: 'part', part: { kind: 'speed', place, device, baudRate: Number(speed) } }
}

function recogniseHost(
  program: string,
  args: readonly string[],
  { place, variables }: ResolvedCommand,
): Recognised {
  if (program !== 'vw' && args[0] !== 'host')
    return { kind: 'foreign', program: `${program} ${args[0] ?? ''}`.trim() }
  const port = variables.get('VW_PORT') ?? ''
  const hasApi = (variables.get('VW_API') ?? '') !== ''
  const isPort = /^\d{1,5}$/.test(port) && Number(port) <= 65_535
  return { kind: 'part', part: { kind: 'host', place, port: isPort ? Number(port) : undefined, hasApi } }
}

/** Of `shell host` v0.2.2 and of `jump host` (spec shell 2 and 9.3). */
const shellVariables = {
  program: 'shell',
  session: 'SHELLHOST_RELAYSESSION',
  token: 'SHELLHOST_TOKEN',
  port: 'SHELLHOST_LOCALPORT',
}
const jumpVariables = {
  program: 'jump',
  session: 'JUMP_HOST_ACCESS',
  token: 'JUMP_HOST_TOKEN',
  port: 'JUMP_HOST_LOCAL_PORT',
}

function recogniseShellHost(
  args: readonly string[],
  { place, variables }: ResolvedCommand,
  names: typeof shellVariables,
): Recognised {
  if (args[0] !== 'host') return { kind: 'foreign', program: `${names.program} ${args[0] ?? ''}`.trim() }
  const text = (name: string): string => (variables.get(name) ?? '').trim()
  const [session, token] = [text(names.session), text(names.token)]
  for (const [name, value] of [
    [names.session, session],
    [names.token, token],
  ])
    if (value === '' || value?.includes(unknownMark) === true)
      return { kind: 'unclear', why: `${name} of this shell host does not stand here` }
  const port = goInteger(text(names.port))
  const isPort = port !== undefined && port >= 1 && port <= 65_535
  return {
    kind: 'part',
    part: { kind: 'shell-host', place, session, token, port: isPort ? port : undefined },
  }
}
