import type Mpegts from 'mpegts.js'
import { isContinuous, readDecodeTimeMs } from './decode-time.ts'
import { PictureClock } from './picture-clock.ts'
import { packetPid } from './ts-packets.ts'
import type { PlayerEvents, VideoPlayer } from './video-player.ts'

type MpegtsModule = typeof Mpegts

/** What came before the player's code was loaded, or while it waits for the media source, is kept up to this. */
const maxHeldBytes = 4 * 1024 * 1024
/** How far behind the newest byte the picture may be before the player jumps. */
const maxBehindS = 1.5
/** … or, when it has stopped because it ran out of pictures: Chromium then gathers far more than it needs to go on. */
const maxBehindStoppedS = 0.5
/** Where it jumps to, and what it settles at. Less than this and every hiccup of the network stops the picture. */
const targetBehindS = 0.2

/**
 * Shows H.264 in a video element by mpegts.js and the browser's own decoder. The page feeds it packets; it never dials.
 */
export class H264Player implements VideoPlayer {
  readonly element = document.createElement('video')
  readonly clock = new PictureClock()
  readonly #events: PlayerEvents
  #held: Uint8Array<ArrayBuffer>[] = []
  #heldBytes = 0
  #feed: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined
  #player: Mpegts.Player | undefined
  #isFlushDue = false
  readonly #pid: number
  #lastTimeMs: number | undefined
  #isBroken = false
  #isClosed = false

  constructor(pid: number, events: PlayerEvents) {
    this.#pid = pid
    this.#events = events
    this.element.addEventListener('error', () => this.#giveUp())
    this.element.muted = true
    this.element.autoplay = true
    this.element.playsInline = true
    this.element.disablePictureInPicture = true
    this.#watchPictures()
    void this.#load()
  }

  get size(): readonly [number, number] | undefined {
    const { videoWidth, videoHeight } = this.element
    return videoWidth === 0 ? undefined : [videoWidth, videoHeight]
  }

  get skipped(): number {
    return this.element.getVideoPlaybackQuality().droppedVideoFrames
  }

  push(packet: Uint8Array): void {
    if (this.#isBroken) return
    if (this.#heldBytes > maxHeldBytes || !this.#follows(packet)) {
      this.#giveUp()
      return
    }
    this.#held.push(packet.slice())
    this.#heldBytes += packet.length
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    // Packets of one message go to the media source together. No timer: browsers let those of hidden pages wait.
    queueMicrotask(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }

  catchUp(): void {
    this.#jumpToNewest(targetBehindS * 2)
    void this.element.play().catch(() => undefined)
  }

  close(): void {
    this.#isClosed = true
    this.#feed = undefined
    try {
      this.#player?.destroy()
    } catch {
      // A media source that has failed takes its parts with it, which mpegts.js then misses.
    }
    this.#player = undefined
  }

  async #load(): Promise<void> {
    try {
      const { default: mpegts } = await import('mpegts.js')
      if (this.#isClosed) return
      if (mpegts.getFeatureList().mseLivePlayback) this.#start(mpegts)
      else this.#events.onUnsupported('browser')
    } catch {
      // The code of the player could not be fetched: the owner tries again.
      this.#giveUp()
    }
  }

  #start(mpegts: MpegtsModule): void {
    mpegts.LoggingControl.enableAll = false
    const player = mpegts.createPlayer(
      { type: 'mpegts', isLive: true, hasAudio: false, url: 'live' },
      {
        customLoader: pushedLoader(mpegts, (feed) => {
          this.#feed = feed
          this.#flush()
        }),
        enableWorker: false,
        enableStashBuffer: false,
        lazyLoad: false,
        liveSync: true,
        liveSyncMaxLatency: 0.45,
        liveSyncTargetLatency: targetBehindS,
        liveSyncPlaybackRate: 1.15,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: 8,
        autoCleanupMinBackwardDuration: 4,
      },
    )
    this.#player = player
    player.on(mpegts.Events.ERROR, () => this.#giveUp())
    player.attachMediaElement(this.element)
    player.load()
    void this.element.play().catch(() => undefined)
  }

  #flush(): void {
    if (this.#feed === undefined || this.#heldBytes === 0) return
    const bytes = new Uint8Array(this.#heldBytes)
    let position = 0
    for (const packet of this.#held) {
      bytes.set(packet, position)
      position += packet.length
    }
    this.#held = []
    this.#heldBytes = 0
    try {
      this.#feed(bytes)
    } catch {
      // mpegts.js throws at damaged packets, and what it has half read is of no use any more.
      this.#giveUp()
    }
    if (this.#isBroken || document.hidden || this.element.seeking) return
    const isStopped = this.element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA
    this.#jumpToNewest(isStopped ? maxBehindStoppedS : maxBehindS)
  }

  /** The media source has one line of time: a camera that begins anew would be put before what was shown long ago. */
  #follows(packet: Uint8Array): boolean {
    const timeMs = packetPid(packet) === this.#pid ? readDecodeTimeMs(packet) : undefined
    if (timeMs === undefined) return true
    const beforeMs = this.#lastTimeMs
    this.#lastTimeMs = timeMs
    return beforeMs === undefined || isContinuous(beforeMs, timeMs)
  }

  /** Takes nothing any more, keeps its last picture, and asks to be replaced. */
  #giveUp(): void {
    if (this.#isBroken || this.#isClosed) return
    this.#isBroken = true
    this.#held = []
    this.#heldBytes = 0
    this.#events.onBroken()
  }

  #jumpToNewest(toleratedS: number): void {
    const { buffered, currentTime } = this.element
    if (buffered.length === 0) return
    const last = buffered.length - 1
    const [beginS, newestS] = [buffered.start(last), buffered.end(last)]
    // After a gap in the stream the newest pictures stand in a range of their own, which is not reached by waiting.
    if (currentTime >= beginS && newestS - currentTime <= toleratedS) return
    this.element.currentTime = Math.max(beginS, newestS - targetBehindS)
  }

  #watchPictures(): void {
    const video = this.element
    if (!('requestVideoFrameCallback' in video)) {
      // Older Firefox: a few times per second is enough to tell live from frozen.
      const marked = video as HTMLVideoElement
      marked.addEventListener('timeupdate', () => this.clock.mark(performance.now()))
      return
    }
    const mark = (): void => {
      if (this.#isClosed) return
      this.clock.mark(performance.now())
      video.requestVideoFrameCallback(mark)
    }
    video.requestVideoFrameCallback(mark)
  }
}

/** A loader class for mpegts.js that is fed from outside; `onOpen` receives the way to feed it. */
function pushedLoader(
  mpegts: MpegtsModule,
  onOpen: (feed: (bytes: Uint8Array<ArrayBuffer>) => void) => void,
): Mpegts.CustomLoaderConstructor {
  return class PushedLoader extends mpegts.BaseLoader {
    #receivedBytes = 0

    constructor() {
      super('pushed')
      this._needStash = false
    }

    override open(): void {
      this._status = mpegts.LoaderStatus.kBuffering
      onOpen((bytes) => {
        const from = this.#receivedBytes
        this.#receivedBytes += bytes.length
        this.onDataArrival?.(bytes.buffer, from, this.#receivedBytes)
      })
    }

    override abort(): void {
      this._status = mpegts.LoaderStatus.kComplete
    }
  }
}
