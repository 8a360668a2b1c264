import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import { parseClaims } from '@relay/common/token/claims'
import { tokenFlaw } from '../check-token-file.ts'
import { cameraFromFfmpeg, type PlannedCamera } from './camera-from-ffmpeg.ts'
import type { OldPart } from './old-part.ts'
import type { LooseText, OldDevice, Remark } from './read-old-device.ts'

export interface PlannedTopic {
  readonly topic: string
  readonly feed: string
  /** Relative to the directory of the configuration. */
  readonly tokenFile: string
  readonly access: string
}

export interface PlannedInstrument {
  readonly name: string
  readonly feed: string
  readonly device: string
  readonly baudRate: number | undefined
  readonly framing: 'line' | 'raw'
  readonly endOfLineOut: 'lf' | 'crlf'
}

export interface PlannedShell {
  /** Session address. */
  readonly session: string
  /** Relative to the directory of the configuration. */
  readonly tokenFile: string
  /** Of sshd; undefined: the usual one. */
  readonly port: number | undefined
}

/** The configuration that does what the old device did. */
export interface PlannedConfig {
  readonly name: string
  /** The access address that most topics have. */
  readonly access: string
  readonly localPort: number | undefined
  readonly topics: readonly PlannedTopic[]
  readonly streams: readonly { readonly stream: string; readonly feeds: readonly string[] }[]
  readonly cameras: readonly PlannedCamera[]
  readonly instruments: readonly PlannedInstrument[]
  readonly shell: PlannedShell | undefined
}

/** What is to be written, and why. Holds tokens: not for printing. */
export interface ImportPlan {
  readonly config: PlannedConfig
  /** By relative path. */
  readonly tokens: ReadonlyMap<string, string>
  readonly taken: readonly Remark[]
  readonly notTaken: readonly Remark[]
  /** What a person should look at, beyond what was left. */
  readonly advice: readonly string[]
}

export interface PlanContext {
  readonly nowMs: number
  /** Another name of a device that does not change, where there is exactly one. */
  readonly stableName: (device: string) => string | undefined
}

/** Decides what an old device's files become. Pure but for `stableName`. */
export function planImport(device: OldDevice, context: PlanContext): ImportPlan {
  return new Planner(device, context).plan()
}

interface Wanted {
  readonly feed: string
  readonly base: string
  readonly topic: string
  readonly token: string
  readonly place: string
}

/** An address and a token that belong together by their name. */
interface Pair {
  readonly stem: string
  readonly access: string
  readonly token: string
  readonly place: string
}

const feedPattern = /^[a-zA-Z0-9\-/]+$/

class Planner {
  readonly #device: OldDevice
  readonly #context: PlanContext
  readonly #taken: Remark[] = []
  readonly #notTaken: Remark[] = []
  readonly #advice: string[] = []

  constructor(device: OldDevice, context: PlanContext) {
    this.#device = device
    this.#context = context
  }

  plan(): ImportPlan {
    const wanted = this.#topics()
    const access = mostFrequent(wanted.map(({ base }) => base))
    const tokens = new Map<string, string>()
    const topics = wanted.map(({ feed, base, topic, token }): PlannedTopic => {
      const tokenFile = `tokens/${freeName(fileName(feed), tokens)}.token`
      tokens.set(tokenFile, token)
      return { topic, feed, tokenFile, access: base === access ? '' : base }
    })
    const config: PlannedConfig = {
      name: commonName(topics.map(({ topic }) => topic)),
      access,
      localPort: this.#localPort(),
      topics,
      streams: this.#streams(),
      cameras: this.#cameras(),
      instruments: this.#instruments(),
      shell: this.#shell(tokens),
    }
    return { config, tokens, taken: this.#taken, notTaken: this.#notTaken, advice: this.#advice }
  }

  #of<K extends OldPart['kind']>(kind: K): readonly Extract<OldPart, { kind: K }>[] {
    return this.#device.parts.filter((part): part is Extract<OldPart, { kind: K }> => part.kind === kind)
  }

  /** Rules say which feed goes where; without one, files of the same name belong together. */
  #topics(): readonly Wanted[] {
    const wanted: Wanted[] = []
    const take = (candidate: Wanted): void => {
      const { topic, feed, place, token } = candidate
      if (wanted.some((other) => other.topic === topic)) {
        this.#leave(place, `the topic ${topic} is carried by another rule already`)
        return
      }
      wanted.push(candidate)
      this.#take(place, `the feed ${feed} goes to the topic ${topic}`)
      const flaw = tokenFlaw(token, topic, this.#context.nowMs)
      if (flaw !== undefined)
        this.#advice.push(`the token of ${topic} ${flaw}: ask whoever runs the relay for a new one`)
    }
    for (const { place, stream, destination, token, file } of this.#of('destination')) {
      if (token === '') {
        this.#leave(place, 'a rule without a token dials a websocket directly; agent.yaml has no such topics')
        continue
      }
      const found = this.#wanted({ feed: stream, destination, token, place })
      if (found !== undefined) take(found)
      if (file !== '')
        this.#leave(place, 'its recording is not taken over; rules of the local API can still record')
    }
    const hasRules = wanted.length > 0
    for (const pair of this.#pairs()) {
      if (isOfShell(pair)) continue
      if (
        hasRules &&
        wanted.some(({ token, topic }) => token === pair.token || topic === topicOf(pair.access)?.topic)
      )
        continue
      const found = this.#wanted({
        feed: pair.stem,
        destination: pair.access,
        token: pair.token,
        place: pair.place,
      })
      if (found !== undefined) take(found)
    }
    return wanted
  }

  #wanted(rule: {
    readonly feed: string
    readonly destination: string
    readonly token: string
    readonly place: string
  }): Wanted | undefined {
    const { feed, destination, token, place } = rule
    const target = topicOf(destination)
    const isToken = /^[\x21-\x7e]+$/.test(token)
    if (!feedPattern.test(feed))
      this.#leave(place, 'the name of the feed has characters that a feed cannot have')
    else if (target === undefined)
      this.#leave(
        place,
        /\/shell\//.test(destination)
          ? 'it is for a shell relay, which takes no feeds'
          : 'its address is none of an access API (https://…/session/<topic>)',
      )
    else if (!isToken) this.#leave(place, 'its token is not one token on one line')
    else if (prefixOf(token) === 'shell')
      this.#leave(place, 'its token is for a shell relay, which takes no feeds')
    else return { feed, ...target, token, place }
    return undefined
  }

  /** The program itself says it, else files of the same name: an address and a token of a shell relay. */
  #shell(tokens: Map<string, string>): PlannedShell | undefined {
    const running = this.#of('shell-host')
    const known = new Set(running.map(({ token }) => token))
    const kept = this.#quietPairs()
      .filter((pair) => isOfShell(pair) && !known.has(pair.token))
      .map(({ access, token, place }) => ({ session: access, token, place, port: undefined }))
    let planned: PlannedShell | undefined
    for (const { session, token, place, port } of [...running, ...kept]) {
      const parsed = parseShellAccess(session)
      if (planned !== undefined)
        this.#leave(place, 'there is a shell host already, and one is all that there can be')
      else if (typeof parsed === 'string')
        this.#leave(place, `the session address of the shell host: ${parsed}`)
      else if (!/^[\x21-\x7e]+$/.test(token)) this.#leave(place, 'its token is not one token on one line')
      else if (claimsOf(token)?.scopes.includes('host') === false)
        this.#leave(place, 'its token is of a shell relay, but not that of a host')
      else {
        const tokenFile = `tokens/${freeName('shell', tokens)}.token`
        tokens.set(tokenFile, token)
        planned = { session: session.trim(), tokenFile, port: port === 22 ? undefined : port }
        this.#take(place, `the shell host of ${parsed.id} is part of the agent`)
        const flaw = tokenFlaw(token, parsed.id, this.#context.nowMs)
        if (flaw !== undefined)
          this.#advice.push(`the token of the shell host ${flaw}: ask whoever runs the relay for a new one`)
      }
    }
    return planned
  }

  /** As `#pairs`, without a word about what has no partner: that was said already. */
  #quietPairs(): readonly Pair[] {
    const notTaken = this.#notTaken.length
    const pairs = this.#pairs()
    this.#notTaken.splice(notTaken)
    return pairs
  }

  #pairs(): readonly Pair[] {
    const tokens = this.#device.loose.filter(({ kind }) => kind === 'token')
    const accesses = this.#device.loose.filter(({ kind }) => kind === 'access')
    const find = (list: readonly LooseText[], stem: string): LooseText | undefined =>
      list.find((loose) => loose.stem === stem)
    const stems = new Set(this.#device.loose.map(({ stem }) => stem))
    return [...stems].flatMap((stem) => {
      const token = find(tokens, stem)
      const access = find(accesses, stem)
      if (token === undefined) {
        this.#leave(access?.place ?? stem, `there is no token ${stem}.token to this address`)
        return []
      }
      const address = access?.text ?? addressFromToken(token.text)
      if (address === undefined) {
        this.#leave(token.place, `there is no address ${stem}.access to this token, and it does not tell one`)
        return []
      }
      return [{ stem, access: address, token: token.text, place: token.place }]
    })
  }

  #streams(): PlannedConfig['streams'] {
    const streams = new Map<string, readonly string[]>()
    for (const { place, stream, feeds } of this.#of('stream')) {
      if (!/^stream\/[a-zA-Z0-9\-/]+$/.test(stream) || !feeds.every((feed) => feedPattern.test(feed))) {
        this.#leave(place, 'a stream needs a name such as stream/large and feeds of letters and digits')
        continue
      }
      streams.set(stream, feeds)
      this.#take(place, `the stream ${stream} gathers ${feeds.join(', ')}`)
    }
    return [...streams].map(([stream, feeds]) => ({ stream, feeds }))
  }

  #cameras(): readonly PlannedCamera[] {
    const names = new Map<string, string>()
    const cameras: PlannedCamera[] = []
    for (const part of this.#of('camera')) {
      const name = freeName(fileName(part.feed), names)
      names.set(name, part.feed)
      const planned = cameraFromFfmpeg(part, name)
      this.#take(
        part.place,
        `ffmpeg for the feed ${part.feed} becomes the camera ${name} (preset ${planned.preset})`,
      )
      cameras.push({ ...planned, device: this.#stable(planned.device, part.place) })
    }
    return cameras
  }

  #instruments(): readonly PlannedInstrument[] {
    const feeds = this.#of('feed')
    const used = new Set<object>()
    const instruments = this.#of('serial').flatMap((serial): readonly PlannedInstrument[] => {
      const feed = feeds.find(({ tcpPort }) => tcpPort !== undefined && tcpPort === serial.tcpPort)
      if (feed === undefined) {
        this.#leave(serial.place, `nothing joins the serial port ${serial.device} to a feed`)
        return []
      }
      used.add(feed)
      const speed = this.#of('speed').find(({ device }) => device === serial.device)
      const baudRate = serial.baudRate ?? speed?.baudRate
      if (baudRate === undefined)
        this.#advice.push(
          `the speed of ${serial.device} stands nowhere; Linux sets 9600 then: check baudRate`,
        )
      const name = fileName(feed.feed)
      this.#take(serial.place, `the serial port ${serial.device} becomes the instrument ${name}`)
      this.#take(feed.place, `its lines go to the feed ${feed.feed}`)
      return [
        {
          name,
          feed: feed.feed,
          device: this.#stable(serial.device, serial.place),
          baudRate: baudRate ?? 9600,
          framing: feed.isText ? 'line' : 'raw',
          endOfLineOut: serial.sendsCrLf ? 'crlf' : 'lf',
        },
      ]
    })
    for (const feed of feeds)
      if (!used.has(feed))
        this.#leave(feed.place, `nothing joins the feed ${feed.feed} to a serial port that is known here`)
    return instruments
  }

  #localPort(): number | undefined {
    const hosts = this.#of('host')
    for (const { place, port, hasApi } of hosts) {
      this.#take(
        place,
        `the local API is served by relay-agent${port === undefined ? '' : ` at port ${port}`}`,
      )
      if (hasApi)
        this.#leave(place, 'VW_API gave the rules to somebody at another machine; that is not taken over')
    }
    if (hosts.length > 0)
      this.#advice.push(
        'the old host could be reached from other machines, this one cannot; localApi.host: "*" opens it where that is wanted',
      )
    return hosts.find(({ port }) => port !== undefined)?.port
  }

  #stable(device: string, place: string): string {
    if (!/^\/dev\/(?:video|tty(?:USB|ACM))\d+$/.test(device)) return device
    const stable = this.#context.stableName(device)
    if (stable === undefined) {
      this.#advice.push(
        `${device} is a name that changes; "ls /dev/v4l/by-id /dev/serial/by-id" shows better ones`,
      )
      return device
    }
    this.#take(place, `${device} is ${stable}, a name that does not change`)
    return stable
  }

  #take(place: string, what: string): void {
    this.#taken.push({ place, what })
  }

  #leave(place: string, what: string): void {
    this.#notTaken.push({ place, what })
  }
}

/** The access address and the topic of an address of the old programs (spec session 1 and 7.2). */
function topicOf(address: string): { readonly base: string; readonly topic: string } | undefined {
  const url = URL.parse(address)
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== ''
  )
    return undefined
  const [, base, escaped] = /^(https?:\/\/[^\s?#]+)\/session\/([^/?#\s]+)\/?$/.exec(address.trim()) ?? []
  if (base === undefined || escaped === undefined) return undefined
  try {
    return { base, topic: decodeURIComponent(escaped) }
  } catch {
    return undefined
  }
}

/** A token names its relay and its topic. */
function addressFromToken(token: string): string | undefined {
  const claims = claimsOf(token)
  const [audience] = claims?.audiences ?? []
  if (claims === undefined || audience === undefined || claims.topic === '') return undefined
  const path = paths.get(claims.prefix) ?? 'session'
  return `${audience.replace(/\/+$/, '')}/${path}/${encodeURIComponent(claims.topic)}`
}

/** Where a token of that kind is swapped for an address. */
const paths: ReadonlyMap<string, string> = new Map([
  ['shell', 'shell'],
  ['connect', 'api/v1/connect'],
])

/** It is for a shell relay. */
function isOfShell({ access, token }: Pair): boolean {
  return /\/(?:shell|api\/v1\/connect)\/[^/]+\/?$/.test(access.trim()) || paths.has(prefixOf(token))
}

function prefixOf(token: string): string {
  return claimsOf(token)?.prefix ?? ''
}

function claimsOf(token: string): ReturnType<typeof parseClaims> | undefined {
  try {
    return parseClaims(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()))
  } catch {
    return undefined
  }
}

/** `spin30` of `spin30-video` and `spin30-data`. */
function commonName(topics: readonly string[]): string {
  const stems = new Set(topics.map((topic) => topic.replace(/-[^-]*$/, '')))
  const [stem = ''] = stems
  return stems.size === 1 ? stem : ''
}

function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? ''
}

/** Fit for names of files, cameras and instruments. */
function fileName(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').slice(0, 48) || 'x'
}

function freeName(wanted: string, used: ReadonlyMap<string, string>): string {
  const isUsed = (name: string): boolean => used.has(name) || used.has(`tokens/${name}.token`)
  let name = wanted
  for (let number = 2; isUsed(name); number += 1) name = `${wanted}-${number}`
  return name
}
