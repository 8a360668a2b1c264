/** An answer of a websocket port to a request that becomes no websocket (spec session 6.1). */
export interface PlainAnswer {
  readonly status: number
  /** Without the final newline. */
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
  /** Name of the refusal for the counter; undefined for what is no refusal of a client of ours. */
  readonly refusal?: string
}

const versionHeader = { 'Sec-Websocket-Version': '13' }

/** Fixed answers of every websocket port. */
export const plainAnswers = {
  badEscape: { status: 400, text: '400 Bad Request' },
  notFound: { status: 404, text: 'Not Found' },
  badRequest: { status: 400, text: 'Bad Request', headers: versionHeader },
  methodNotAllowed: { status: 405, text: 'Method Not Allowed', headers: versionHeader },
  badCode: {
    status: 401,
    text: 'the code is missing, unknown, used or too old: ask the access API for a new one',
    refusal: 'bad-code',
  },
  wrongTopic: {
    status: 401,
    text: 'the code belongs to another topic and is used up',
    refusal: 'wrong-topic',
  },
  noLongerValid: {
    status: 401,
    text: 'the token behind the code is not valid now',
    refusal: 'no-longer-valid',
  },
  denied: { status: 401, text: 'the booking was cancelled', refusal: 'denied' },
  tooMany: {
    status: 503,
    text: 'the relay has as many connections as it may have: try again later',
    headers: { 'Retry-After': '10' },
    refusal: 'too-many-connections',
  },
  draining: {
    status: 503,
    text: 'the relay is stopping: try again',
    headers: { 'Retry-After': '2' },
    refusal: 'draining',
  },
} as const satisfies Record<string, PlainAnswer>

/** Why any websocket port refuses an upgrade; each program may have further reasons. */
export const commonUpgradeRefusals: readonly string[] = Object.values(plainAnswers).flatMap((answer) =>
  'refusal' in answer ? [answer.refusal] : [],
)

/** The redirect to the cleaned path. */
export function movedAnswer(location: string): PlainAnswer {
  return { status: 301, text: 'Moved Permanently', headers: { Location: location } }
}
