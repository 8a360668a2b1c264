import type { IncomingMessage } from 'node:http'
import type { Clock } from '@relay/common/clock'

export type ReadBody =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly problem: 'too-large' | 'too-slow' | 'aborted' }

export interface ReadBodyOptions {
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** Reads the whole body of a request, within its limits of size and time. Never rejects. */
export function readBody(
  request: IncomingMessage,
  { maxBytes, timeoutMs }: ReadBodyOptions,
  clock: Clock,
): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (result: ReadBody): void => {
      cancel()
      request.off('data', take)
      request.off('end', end)
      request.off('close', abort)
      resolve(result)
    }
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > maxBytes) settle({ ok: false, problem: 'too-large' })
      else chunks.push(chunk)
    }
    const end = (): void =>
      settle({ ok: true, body: chunks.length === 1 ? first(chunks) : Buffer.concat(chunks) })
    const abort = (): void => settle({ ok: false, problem: 'aborted' })
    const cancel = clock.after(timeoutMs, () => settle({ ok: false, problem: 'too-slow' }))
    request.on('data', take)
    request.on('end', end)
    request.on('close', abort)
  })
}

function first(chunks: readonly Buffer[]): Buffer {
  return chunks[0] ?? Buffer.alloc(0)
}
