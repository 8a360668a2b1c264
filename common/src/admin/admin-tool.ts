import type { AdminSpec } from './admin-config.ts'

/** A program whose commands ask a relay of its own kind. */
export interface AdminTool {
  readonly spec: AdminSpec
  /** Claim `prefix` of the tokens that it makes. */
  readonly prefix: string
  /** The relay's own variable for its secret, for a sentence to people. */
  readonly secretName: string
}
