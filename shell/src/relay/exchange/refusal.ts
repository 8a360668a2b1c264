/** Why the relay takes no more of something, before a code is given and again before the upgrade. */
export const refusals = [
  'draining',
  'too-many-connections',
  'too-many-sessions',
  'too-many-of-address',
  'too-many-hosts',
  'too-many-waiting',
] as const
export type Refusal = (typeof refusals)[number]
