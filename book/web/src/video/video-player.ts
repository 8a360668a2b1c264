import type { PictureClock } from './picture-clock.ts'

/** Shows the pictures of one stream in an element of its own. Thrown away and made anew when anything breaks. */
export interface VideoPlayer {
  /** Has `role="img"` or is a video; the owner puts it into the page and labels it. */
  readonly element: HTMLCanvasElement | HTMLVideoElement
  readonly clock: PictureClock
  /** Width and height in pixels once the first picture came. */
  readonly size: readonly [width: number, height: number] | undefined
  /** Pictures left out so that the newest is shown. */
  readonly skipped: number
  /** Takes a whole packet of the transport stream. */
  push(packet: Uint8Array): void
  /** The page can be seen again: show the newest picture, not what was missed. */
  catchUp(): void
  close(): void
}

/** Why there will be no picture, though bytes come. */
export type UnsupportedReason = 'codec' | 'browser'

/** What a player tells its owner. */
export interface PlayerEvents {
  /** The stream cannot be shown, for this reason; or, undefined, it can be again. */
  readonly onUnsupported: (reason: UnsupportedReason | undefined) => void
  /** The player is broken and wants to be replaced. */
  readonly onBroken: () => void
}
