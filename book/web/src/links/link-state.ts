import type { AccessRefusal } from './access-answer.ts'

/** Why a link is down. `texts.ts` has the words. */
export type LinkProblem =
  | AccessRefusal
  /** No answer from the access server; a refusal without CORS headers looks the same to a page. */
  | 'network'
  /** The access server did not answer in time. */
  | 'timeout'
  /** The websocket could not be opened. */
  | 'relay-down'
  /** An open link went away. */
  | 'dropped'
  /** An open link was mute for so long that a fresh one is tried. */
  | 'silent'
  /** The browser closed the link because a text message was not UTF-8 (close code 1007). */
  | 'not-utf8'

/** One link to the relay, as others may look at it. */
export type LinkState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'joining' }
  /** Open; `heard` once a message came: an old relay also opens links that it has refused, and stays mute. */
  | { readonly kind: 'open'; readonly sinceMs: number; readonly heard: boolean }
  | { readonly kind: 'retrying'; readonly problem: LinkProblem; readonly untilMs: number }
  | { readonly kind: 'ended'; readonly because: 'expired' | LinkProblem }

export type LinkEvent =
  | { readonly kind: 'dialling' }
  | { readonly kind: 'opened'; readonly atMs: number }
  | { readonly kind: 'heard' }
  | { readonly kind: 'waiting'; readonly problem: LinkProblem; readonly untilMs: number }
  | { readonly kind: 'gave-up'; readonly problem: LinkProblem }
  | { readonly kind: 'expired' }
  | { readonly kind: 'restarted' }

/** The state after an event. An ended link stays ended until somebody restarts it; late events change nothing. */
export function nextLinkState(state: LinkState, event: LinkEvent): LinkState {
  if (state.kind === 'ended' && event.kind !== 'restarted') return state
  switch (event.kind) {
    case 'dialling':
      return { kind: 'joining' }
    case 'opened':
      return state.kind === 'joining' ? { kind: 'open', sinceMs: event.atMs, heard: false } : state
    case 'heard':
      return state.kind === 'open' && !state.heard ? { ...state, heard: true } : state
    case 'waiting':
      return { kind: 'retrying', problem: event.problem, untilMs: event.untilMs }
    case 'gave-up':
      return { kind: 'ended', because: event.problem }
    case 'expired':
      return { kind: 'ended', because: 'expired' }
    case 'restarted':
      break
  }
  return { kind: 'idle' }
}

/** How often a refusal is tried again: a clock a little behind makes a fresh token invalid for seconds. */
export const refusalsBeforeGivingUp = 3

/** Whether another dial cannot help: the relay has said so several times in a row. Pure. */
export function isHopeless(problem: LinkProblem, refusalsInARow: number): boolean {
  if (problem === 'cancelled') return true
  return (problem === 'refused' || problem === 'not-found') && refusalsInARow >= refusalsBeforeGivingUp
}

/** A mute link is dialled anew after this; each time in vain doubles the patience, as the far end may be switched off. */
export function silencePatienceMs(firstMs: number, timesInVain: number): number {
  return Math.min(firstMs * 2 ** timesInVain, longestPatienceMs)
}

const longestPatienceMs = 300_000
