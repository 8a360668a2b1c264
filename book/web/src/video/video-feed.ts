import { StreamLink } from '../links/stream-link.ts'
import type { Stream } from '../parameters/stream-parameters.ts'
import { Store } from '../store.ts'
import { H264Player } from './h264-player.ts'
import { Mpeg1Player } from './mpeg1-player.ts'
import { packetPid, TsPackets } from './ts-packets.ts'
import { TsProgramMap, type VideoProgram } from './ts-program-map.ts'
import type { PlayerEvents, UnsupportedReason, VideoPlayer } from './video-player.ts'
import { decideVideoState, frozenAfterMs, type VideoState } from './video-state.ts'

/** How the video is doing, in numbers. */
export interface VideoFigures {
  /** Time since the last picture was shown. */
  readonly ageMs: number | undefined
  readonly picturesPerSecond: number | undefined
  /** How unevenly pictures come. */
  readonly jitterMs: number | undefined
  /** Pictures left out so that the newest is shown. */
  readonly skipped: number
  readonly codec: VideoProgram['codec'] | undefined
  readonly size: readonly [width: number, height: number] | undefined
}

const noFigures: VideoFigures = {
  ageMs: undefined,
  picturesPerSecond: undefined,
  jitterMs: undefined,
  skipped: 0,
  codec: undefined,
  size: undefined,
}

const figuresEveryMs = 250
const firstPatienceMs = 15_000
/** A player that shows nothing for so long though packets come is replaced. */
const stuckAfterMs = 6000
/** A broken one is replaced sooner, but damaged data must not keep the page busy with making players. */
const renewAtMostEveryMs = 2000

/**
 * One camera: joins its stream, finds the codec in the stream itself, and shows the pictures in a player that it puts
 * into `place`. A player lives no longer than the link or the codec it was made for.
 */
export class VideoFeed {
  readonly link: StreamLink
  readonly state = new Store<VideoState>('connecting')
  readonly figures = new Store<VideoFigures>(noFigures)
  readonly unsupported = new Store<UnsupportedReason | undefined>(undefined)
  readonly #place: HTMLElement
  readonly #label: string
  readonly #packets = new TsPackets((packet) => this.#takePacket(packet))
  #map = new TsProgramMap()
  #program: VideoProgram | undefined
  #player: VideoPlayer | undefined
  /** Shows the last picture until the new player has one. */
  #formerPlayer: VideoPlayer | undefined
  /** The program association came before the player that needs it. */
  #association: Uint8Array | undefined
  #renewedAtMs = 0
  #lastPacketMs = 0
  #visibleSinceMs = 0
  #isBroken = false

  constructor(options: { readonly stream: Stream; readonly place: HTMLElement; readonly label: string }) {
    this.#place = options.place
    this.#label = options.label
    this.link = new StreamLink({
      stream: options.stream,
      firstPatienceMs,
      onMessage: (data) => {
        if (typeof data !== 'string') this.#packets.push(data)
      },
      onOpen: () => this.#begin(),
    })
  }

  /** Stays joined until `signal` aborts; the last picture stays in place. */
  async run(signal: AbortSignal): Promise<void> {
    const watch = setInterval(() => this.#watch(), figuresEveryMs)
    const unsubscribe = this.link.state.subscribe(() => this.#watch())
    const onVisibility = (): void => {
      this.#visibleSinceMs = performance.now()
      if (!document.hidden) this.#player?.catchUp()
    }
    document.addEventListener('visibilitychange', onVisibility)
    addEventListener('online', () => this.link.dialNow(), { signal })
    await this.link.run(signal)
    document.removeEventListener('visibilitychange', onVisibility)
    clearInterval(watch)
    unsubscribe()
    this.#watch()
  }

  /** Takes the player out of the page. Call when `run` was stopped. */
  close(): void {
    this.#dropFormerPlayer()
    this.#player?.close()
    this.#player?.element.remove()
    this.#player = undefined
  }

  #begin(): void {
    this.#retirePlayer()
    this.#packets.reset()
    this.#map = new TsProgramMap()
    this.#program = undefined
    this.unsupported.set(undefined)
  }

  #takePacket(packet: Uint8Array): void {
    this.#lastPacketMs = performance.now()
    if (packetPid(packet) === 0) this.#association = packet.slice()
    const program = this.#map.push(packet)
    if (program !== undefined && program !== this.#program) this.#adopt(program)
    this.#player?.push(packet)
  }

  #adopt(program: VideoProgram): void {
    this.#program = program
    this.unsupported.set(program.codec === 'other' ? 'codec' : undefined)
    const events: PlayerEvents = {
      onUnsupported: (reason) => this.unsupported.set(reason),
      onBroken: () => {
        this.#isBroken = true
      },
    }
    if (program.codec === 'mpeg1') this.#show(new Mpeg1Player(program.pid, events))
    else if (program.codec === 'h264') this.#show(new H264Player(program.pid, events))
    else this.#retirePlayer()
  }

  #show(player: VideoPlayer): void {
    this.#renewedAtMs = performance.now()
    this.#isBroken = false
    const { element } = player
    element.dataset.testid = 'video'
    element.setAttribute('aria-label', this.#label)
    if (element instanceof HTMLCanvasElement) element.setAttribute('role', 'img')
    this.#retirePlayer()
    this.#place.prepend(element)
    this.#player = player
    if (this.#association !== undefined) player.push(this.#association)
  }

  /** Its last picture stays in sight until the next player has one; what it gets no more is not called live. */
  #retirePlayer(): void {
    const player = this.#player
    this.#player = undefined
    if (player === undefined) return
    if (player.clock.count === 0) {
      player.close()
      player.element.remove()
      return
    }
    this.#dropFormerPlayer()
    this.#formerPlayer = player
    delete player.element.dataset.testid
    player.element.setAttribute('aria-hidden', 'true')
  }

  #dropFormerPlayer(): void {
    this.#formerPlayer?.close()
    this.#formerPlayer?.element.remove()
    this.#formerPlayer = undefined
  }

  /** Makes the player anew where it must be. The tables come again several times per second; it waits for them. */
  #renewIfNeeded(ageMs: number | undefined, nowMs: number): void {
    if (this.#program === undefined || this.#player === undefined) return
    const mayRenew = nowMs - this.#renewedAtMs > renewAtMostEveryMs
    if ((this.#isBroken && mayRenew) || this.#isStuck(ageMs, nowMs)) this.#adopt(this.#program)
  }

  #watch(): void {
    const player = this.#player
    const nowMs = performance.now()
    const ageMs = player?.clock.ageMs(nowMs)
    if (ageMs !== undefined) this.#dropFormerPlayer()
    if (player?.size !== undefined) this.#place.style.aspectRatio = player.size.join(' / ')
    this.#renewIfNeeded(ageMs, nowMs)
    const isUnsupported = this.unsupported.value !== undefined
    this.state.set(decideVideoState({ link: this.link.state.value, pictureAgeMs: ageMs, isUnsupported }))
    this.figures.set({
      ageMs,
      picturesPerSecond: player?.clock.picturesPerSecond,
      jitterMs: player?.clock.jitterMs,
      skipped: player?.skipped ?? 0,
      codec: this.#program?.codec,
      size: player?.size,
    })
  }

  /** Packets come, the page can be seen, and yet there has been no picture for long: a camera that started anew. */
  #isStuck(ageMs: number | undefined, nowMs: number): boolean {
    if (document.hidden || this.unsupported.value !== undefined) return false
    if (nowMs - this.#lastPacketMs > frozenAfterMs) return false
    const shownAtMs = nowMs - (ageMs ?? nowMs)
    return nowMs - Math.max(shownAtMs, this.#renewedAtMs, this.#visibleSinceMs) > stuckAfterMs
  }
}
