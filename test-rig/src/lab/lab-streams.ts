import type { LabTokens } from './lab-tokens.ts'

/** A stream as booking pages hand it to the pages of experiments (spec booking 1.2 and 10). */
export interface Stream {
  readonly for: string
  readonly url: string
  readonly verb: 'POST'
  readonly token: string
  readonly permission: {
    readonly audience: string
    readonly connection_type: 'session'
    readonly scopes: readonly string[]
    readonly topic: string
  }
}

export const videoTopic = 'lab-video'
export const dataTopic = 'lab-data'
export const sessionLifetimeSec = 3600

const wanted = [
  { for: 'video', topic: videoTopic, scopes: ['read'] },
  { for: 'data', topic: dataTopic, scopes: ['read', 'write'] },
] as const

export interface StreamsOptions {
  /** Where the browser reaches the access API. */
  readonly access: string
  readonly audience: string
  readonly nowMs: number
}

/** Fresh streams for one person, good for an hour. */
export async function mintStreams(
  tokens: LabTokens,
  { access, audience, nowMs }: StreamsOptions,
): Promise<readonly Stream[]> {
  return await Promise.all(
    wanted.map(async ({ for: name, topic, scopes }) => ({
      for: name,
      url: `${access}/session/${topic}`,
      verb: 'POST' as const,
      token: await tokens.mint({ topic, scopes, lifetimeSec: sessionLifetimeSec }, nowMs),
      permission: { audience, connection_type: 'session' as const, scopes, topic },
    })),
  )
}

/** Where a person goes with them: everything is in the fragment, which no server is told. Pure. */
export function labPageAddress(streams: readonly Stream[], nowMs: number): string {
  const expiresAtSec = Math.floor(nowMs / 1000) + sessionLifetimeSec
  return `/lab.html#streams=${encodeURIComponent(JSON.stringify(streams))}&exp=${expiresAtSec}`
}
