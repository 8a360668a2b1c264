import type { Fault } from '@relay/common/fault'

/** How it stands with a link to a relay. Times are of the monotonic clock. */
export type LinkState =
  | { readonly kind: 'idle' }
  /** Getting an address, dialling, or waiting for the first sign of life of a relay that has let us in. */
  | {
      readonly kind: 'connecting'
      readonly sinceMs: number
      readonly step: 'exchange' | 'dial' | 'confirm'
    }
  | { readonly kind: 'live'; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly untilMs: number; readonly attempt: number }
  /** It will not be tried again: the rule itself is wrong. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'stopped' }

export type LinkEvent =
  | { readonly kind: 'step'; readonly step: 'exchange' | 'dial' | 'confirm'; readonly atMs: number }
  | { readonly kind: 'confirmed'; readonly atMs: number }
  | { readonly kind: 'retry'; readonly atMs: number; readonly delayMs: number; readonly attempt: number }
  | { readonly kind: 'gave-up' }
  | { readonly kind: 'stopped' }

/** What is told about a link besides its state. */
export interface LinkRecord {
  readonly state: LinkState
  /** How often it was live. */
  readonly connects: number
  /** Attempts that failed since it was live last. */
  readonly failures: number
  readonly fault: Fault | undefined
}

export const newLink: LinkRecord = { state: { kind: 'idle' }, connects: 0, failures: 0, fault: undefined }

/** The only way in which a link changes. Pure. Nothing leads out of `stopped`, and only a stop out of `failed`. */
export function nextLinkState(state: LinkState, event: LinkEvent): LinkState {
  if (state.kind === 'stopped') return state
  if (event.kind === 'stopped') return { kind: 'stopped' }
  if (state.kind === 'failed') return state
  let next: LinkState = state
  switch (event.kind) {
    case 'gave-up':
      next = { kind: 'failed' }
      break
    case 'step':
      next = {
        kind: 'connecting',
        step: event.step,
        sinceMs: state.kind === 'connecting' ? state.sinceMs : event.atMs,
      }
      break
    case 'confirmed':
      if (state.kind === 'connecting' && state.step === 'confirm')
        next = { kind: 'live', sinceMs: event.atMs }
      break
    case 'retry':
      next = { kind: 'waiting', untilMs: event.atMs + event.delayMs, attempt: event.attempt }
      break
  }
  return next
}
