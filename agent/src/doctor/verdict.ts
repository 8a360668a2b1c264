/** From good to bad; `unknown`: it could not be looked at, and the sentence says why. */
export const levels = ['ok', 'unknown', 'warning', 'problem'] as const
export type Level = (typeof levels)[number]

/** One thing that the doctor found. Holds no secret once `redactVerdict` has seen it. */
export interface Verdict {
  readonly level: Level
  /** What is so, in one sentence without a full stop. */
  readonly what: string
  /** What to do about it; absent where nothing is to be done. */
  readonly advice?: string
}

export function ok(what: string): Verdict {
  return { level: 'ok', what }
}

/** It could not be looked at. */
export function unknown(what: string, advice?: string): Verdict {
  return advice === undefined ? { level: 'unknown', what } : { level: 'unknown', what, advice }
}

/** It works now and may not for long, or works less well than it could. */
export function warning(what: string, advice: string): Verdict {
  return { level: 'warning', what, advice }
}

/** Something does not work. */
export function problem(what: string, advice: string): Verdict {
  return { level: 'problem', what, advice }
}
