import type { Renderer, VideoDecoder } from '@cycjimmy/jsmpeg-player'
import type { Mpeg1DecoderFactory } from './mpeg1-decoder.ts'
import { type CodedPicture, isMpeg2, PictureAssembler, sequenceSize } from './picture-assembler.ts'
import { PictureClock } from './picture-clock.ts'
import { PictureQueue } from './picture-queue.ts'
import type { PlayerEvents, VideoPlayer } from './video-player.ts'

/** Decoding stops for the browser's sake after this much of a frame's time. */
const decodeBudgetMs = 24
/** About two groups of pictures at 24 per second. */
const maxWaitingPictures = 60
const maxWaitingBytes = 4 * 1024 * 1024

/** Full HD with room for its alignment: what is larger would take memory without bound from a stream that lies. */
const maxWidth = 1920
const maxHeight = 1200

/**
 * Shows MPEG-1 on a canvas. In every frame of the display it decodes all that came and draws the newest picture; while
 * the page is hidden it keeps only what is needed to draw the newest picture at once when it is seen again.
 *
 * Invariant: one decoder in a WebAssembly instance of its own, for one size of picture. When the camera starts anew with
 * another size, or damaged pictures break the decoder, the whole player is given up and leaves nothing behind.
 */
export class Mpeg1Player implements VideoPlayer {
  readonly element = document.createElement('canvas')
  readonly clock = new PictureClock()
  readonly #events: PlayerEvents
  readonly #assembler: PictureAssembler
  readonly #queue = new PictureQueue({ maxWaiting: maxWaitingPictures, maxBytes: maxWaitingBytes })
  #factory: Mpeg1DecoderFactory | undefined
  #renderer: (Renderer & { destroy(): void }) | undefined
  #decoder: VideoDecoder | undefined
  #decoderSize: readonly [number, number] | undefined
  #frameRequest: number | undefined
  #isMpeg2 = false
  #isClosed = false

  constructor(pid: number, events: PlayerEvents) {
    this.#events = events
    this.#assembler = new PictureAssembler(pid, (picture) => this.#take(picture))
    void this.#load()
  }

  get size(): readonly [number, number] | undefined {
    return this.#decoderSize
  }

  get skipped(): number {
    return this.#queue.skipped
  }

  push(packet: Uint8Array): void {
    this.#assembler.push(packet)
  }

  catchUp(): void {
    this.#queue.trim()
    this.#requestFrame()
  }

  close(): void {
    this.#isClosed = true
    if (this.#frameRequest !== undefined) cancelAnimationFrame(this.#frameRequest)
    this.#renderer?.destroy()
  }

  async #load(): Promise<void> {
    try {
      const { Mpeg1DecoderFactory: Factory } = await import('./mpeg1-decoder.ts')
      this.#factory = await Factory.load()
      if (this.#isClosed) return
      this.#renderer = this.#factory.createRenderer(this.element)
      this.#requestFrame()
    } catch {
      // The code of the player could not be fetched or this browser cannot run it: the owner tries again.
      if (!this.#isClosed) this.#events.onBroken()
    }
  }

  #take(picture: CodedPicture): void {
    if (picture.isKey && isMpeg2(picture) !== this.#isMpeg2) {
      this.#isMpeg2 = !this.#isMpeg2
      this.#queue.reset()
      this.#events.onUnsupported(this.#isMpeg2 ? 'codec' : undefined)
    }
    if (this.#isMpeg2) return
    this.#queue.push(picture)
    if (document.hidden) this.#queue.trim()
    this.#requestFrame()
  }

  #requestFrame(): void {
    if (this.#frameRequest !== undefined || this.#renderer === undefined || this.#isClosed) return
    this.#frameRequest = requestAnimationFrame(() => {
      this.#frameRequest = undefined
      try {
        this.#decodeWaiting()
      } catch {
        // Damaged pictures can make the decoder trap, and another size needs another one.
        this.#isClosed = true
        this.#events.onBroken()
      }
    })
  }

  #decodeWaiting(): void {
    const startedAtMs = performance.now()
    for (let picture = this.#queue.take(); picture !== undefined; picture = this.#queue.take()) {
      const size = picture.isKey ? sequenceSize(picture) : undefined
      if (size !== undefined) this.#prepareFor(size)
      this.#decoder?.write(0, picture.parts)
      while (this.#decoder?.decode() === true);
      if (performance.now() - startedAtMs > decodeBudgetMs) break
    }
    if (this.#queue.length > 0) this.#requestFrame()
  }

  /** jsmpeg takes the size of the first sequence only. @throws when the size has changed, or is not to be had. */
  #prepareFor(size: readonly [width: number, height: number]): void {
    if (this.#decoderSize === undefined) this.#decoder = this.#createDecoder(size)
    else if (!isSameSize(size, this.#decoderSize)) throw new Error('the size of the picture has changed')
  }

  #createDecoder(size: readonly [width: number, height: number]): VideoDecoder | undefined {
    const [width, height] = size
    if (width === 0 || height === 0 || width > maxWidth || height > maxHeight) {
      throw new Error(`a picture of ${width} x ${height} is not shown`)
    }
    this.#decoderSize = size
    return this.#factory?.createDecoder({
      resize: (codedWidth, codedHeight) => this.#renderer?.resize(codedWidth, codedHeight),
      render: (y, cb, cr, isClampedArray) => {
        // While catching up only the newest picture is worth drawing.
        if (this.#queue.length > 0) return
        this.#renderer?.render(y, cb, cr, isClampedArray)
        this.clock.mark(performance.now())
      },
    })
  }
}

function isSameSize(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] && a[1] === b[1]
}
