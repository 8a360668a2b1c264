import { AppError } from '@relay/common/errors'

/** An HTTP answer as it stood on the wire; the body without its transfer coding. */
export interface HttpResponse {
  readonly status: number
  /** By lower-case name; several of one name are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** What came after the answer: frames, when it was a 101. */
  readonly rest: Buffer
}

interface Head {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly bodyStart: number
}

const maxHeadBytes = 64 * 1024

/** Reads one answer from a byte stream. Interim answers (1xx but 101) are passed over. */
export class HttpResponseParser {
  readonly #isHead: boolean
  #bytes = Buffer.alloc(0)

  constructor({ isHead }: { readonly isHead: boolean }) {
    this.#isHead = isHead
  }

  get receivedBytes(): number {
    return this.#bytes.length
  }

  /** The answer as soon as it is complete. Throws `GOLDEN_HTTP` for bytes that are no answer. */
  push(chunk: Buffer): HttpResponse | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    return this.#read({ hasEnded: false })
  }

  /** The peer closed: an answer without a length is complete by that. */
  end(): HttpResponse | undefined {
    return this.#read({ hasEnded: true })
  }

  #read({ hasEnded }: { readonly hasEnded: boolean }): HttpResponse | undefined {
    const head = this.#readHead()
    if (head === undefined) return undefined
    if (head.status < 200 && head.status !== 101) {
      this.#bytes = this.#bytes.subarray(head.bodyStart)
      return this.#read({ hasEnded })
    }
    const rest = this.#bytes.subarray(head.bodyStart)
    const { status, headers } = head
    const finish = (body: Buffer, after: Buffer): HttpResponse => ({ status, headers, body, rest: after })
    if (this.#isHead || status === 101 || status === 204 || status === 304)
      return finish(Buffer.alloc(0), rest)
    if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') {
      const chunked = readChunks(rest)
      return chunked === undefined ? undefined : finish(chunked.body, chunked.rest)
    }
    const length = headers.get('content-length')
    if (length === undefined) return hasEnded ? finish(rest, Buffer.alloc(0)) : undefined
    const lengthBytes = Number(length)
    return rest.length < lengthBytes
      ? undefined
      : finish(rest.subarray(0, lengthBytes), rest.subarray(lengthBytes))
  }

  #readHead(): Head | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) {
      if (this.#bytes.length > maxHeadBytes) throw new AppError('GOLDEN_HTTP', 'answer has no end of headers')
      return undefined
    }
    const [statusLine = '', ...lines] = this.#bytes.subarray(0, end).toString('latin1').split('\r\n')
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1]
    if (status === undefined)
      throw new AppError('GOLDEN_HTTP', `not an answer: ${JSON.stringify(statusLine)}`)
    return { status: Number(status), headers: readHeaders(lines), bodyStart: end + 4 }
  }
}

function readHeaders(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return headers
}

function readChunks(bytes: Buffer): { readonly body: Buffer; readonly rest: Buffer } | undefined {
  const parts: Buffer[] = []
  let from = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', from)
    if (lineEnd === -1) return undefined
    const chunkBytes = Number.parseInt(bytes.subarray(from, lineEnd).toString('latin1'), 16)
    const start = lineEnd + 2
    if (bytes.length < start + chunkBytes + 2) return undefined
    if (chunkBytes === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(start + 2) }
    parts.push(bytes.subarray(start, start + chunkBytes))
    from = start + chunkBytes + 2
  }
}
