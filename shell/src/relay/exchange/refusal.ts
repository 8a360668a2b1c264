/** Why the relay takes no more of something, before a code is given and again before the upgrade. */
export const refusals = [
  'too-many-connections',
  'too-many-sessions',
  'too-many-of-address',
  'too-many-hosts',
  'too-many-waiting',
  /** A host dials for a client that has gone, or that another host was faster for. */
  'client-gone',
] as const
export type Refusal = (typeof refusals)[number]
