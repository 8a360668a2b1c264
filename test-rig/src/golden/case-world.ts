import { AppError } from '@relay/common/errors'
import type { FakeAccess } from './fake-access.ts'
import type { FakeRelay } from './fake-relay.ts'
import type { Generation, Side } from './golden-case.ts'
import type { ProgramCommands } from './program-commands.ts'
import type { RunningServers } from './server-pool.ts'
import type { TsUpload } from './ts-upload.ts'
import type { WebsocketPeer } from './websocket-peer.ts'

/** How long something that must come may take where a case names no time: long, for a machine that does much else. */
export const patienceMs = 5_000

interface WorldParts {
  readonly side: Side
  readonly generation: Generation
  readonly commands: ProgramCommands
  readonly servers: RunningServers
  readonly values: Map<string, string>
  readonly fakeAccess: FakeAccess | undefined
  readonly fakeRelay: FakeRelay | undefined
}

/** What one case has at hand while it runs: its servers, scripted servers, named peers and uploads, saved values. */
export class CaseWorld {
  readonly side: Side
  readonly generation: Generation
  readonly commands: ProgramCommands
  readonly servers: RunningServers
  /** Grows as steps save values. */
  readonly values: Map<string, string>
  readonly #parts: WorldParts
  readonly #peers = new Map<string, WebsocketPeer>()
  readonly #replacedPeers: WebsocketPeer[] = []
  readonly #uploads = new Map<string, TsUpload>()

  constructor(parts: WorldParts) {
    this.side = parts.side
    this.generation = parts.generation
    this.commands = parts.commands
    this.servers = parts.servers
    this.values = parts.values
    this.#parts = parts
  }

  /** The scripted access server. Throws `GOLDEN_CASE` in a case without `fake`. */
  get fakeAccess(): FakeAccess {
    return need(this.#parts.fakeAccess, 'the case has no fake')
  }

  /** The scripted relay. Throws `GOLDEN_CASE` in a case without `fake`. */
  get fakeRelay(): FakeRelay {
    return need(this.#parts.fakeRelay, 'the case has no fake')
  }

  /** The websocket of that name. Throws `GOLDEN_CASE` when no step opened it. */
  peer(name: string): WebsocketPeer {
    return need(this.#peers.get(name), `no step opened peer ${name}`)
  }

  addPeer(name: string, peer: WebsocketPeer): void {
    const earlier = this.#peers.get(name)
    if (earlier !== undefined) this.#replacedPeers.push(earlier)
    this.#peers.set(name, peer)
  }

  upload(id: string): TsUpload {
    return need(this.#uploads.get(id), `no step opened upload ${id}`)
  }

  addUpload(id: string, upload: TsUpload): void {
    this.#uploads.set(id, upload)
  }

  /** The port a plain request goes to. */
  portOf(to: 'access' | 'relay' | 'host'): number {
    return Number(need(this.values.get(`${to}Port`), `the case starts no server for ${to}`))
  }

  /** What peers saw that RFC 6455 forbids. */
  violations(): readonly string[] {
    return [...this.#peers].flatMap(([name, { violations }]) =>
      violations.map((what) => `peer ${name} saw ${what}`),
    )
  }

  /** Ends every connection of ours. */
  closeConnections(): void {
    for (const peer of [...this.#peers.values(), ...this.#replacedPeers]) peer.terminate()
    for (const upload of this.#uploads.values()) upload.abort()
  }
}

function need<T>(value: T | undefined, why: string): T {
  if (value === undefined) throw new AppError('GOLDEN_CASE', why)
  return value
}
