/** What is sent back for a request: everything but date and connection headers. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** JSON as the old host sends it: no newline at the end (spec session 7.1). */
export function jsonAnswer(json: string): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: json }
}

/** A sentence and a newline in plain text, as Go's `http.Error` does. */
export function textAnswer(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff', ...headers },
    body: `${sentence}\n`,
  }
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers }
}
