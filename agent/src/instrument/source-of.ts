import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { LinkSource } from './link.ts'
import { NetSource, type NetSettings } from './net/net-source.ts'
import { ReplaySource, type ReplaySettings } from './session/replay-source.ts'
import { TtySource, type TtySettings } from './tty/tty-source.ts'

/** Where an instrument is, and how that is set. */
export type SourceSettings =
  | ({ readonly kind: 'tty' } & TtySettings)
  | ({ readonly kind: 'replay' } & ReplaySettings)
  | NetSettings

export interface SourceDeps {
  readonly clock: Clock
  readonly log: Log
}

/** What opens the links to an instrument. */
export function sourceOf(settings: SourceSettings, deps: SourceDeps): LinkSource {
  switch (settings.kind) {
    case 'tty':
      return new TtySource(settings, deps)
    case 'replay':
      return new ReplaySource(settings, deps)
    default:
      return new NetSource(settings, deps)
  }
}
