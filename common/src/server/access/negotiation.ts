import { type AccessAnswer, refuse } from './access-answer.ts'

export interface Offered {
  readonly contentType: string | undefined
  readonly accept: string | undefined
  /** Length of the body after transfer decoding. */
  readonly bodyLength: number
}

/** A media type and its parameters, as far as the old server reads them: `type/subtype`, each a token (RFC 9110). */
const mediaType = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?)\s*(?:;|$)/

/**
 * What is wrong with the types of a request (spec session 4 and 4.2): a body must be JSON, an answer must be welcome
 * as JSON. Without a body the content type does not matter, with a JSON body the `Accept` does not. Pure.
 */
export function mediaTypeRefusal({ contentType, accept, bodyLength }: Offered): AccessAnswer | undefined {
  if (bodyLength > 0) {
    const given = contentType === undefined || contentType === '' ? 'application/octet-stream' : contentType
    const type = mediaType.exec(given)?.[1]?.toLowerCase()
    if (type === undefined) return refuse.badContentType(given)
    return type === 'application/json' ? undefined : refuse.unsupportedMediaType(type)
  }
  return acceptsJson(accept) ? undefined : refuse.notAcceptable()
}

/** Whether an `Accept` header lets JSON through; absent and empty ones do, `q=0` does not. Pure. */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  return accept.split(',').some((item) => {
    const [range = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    if (!['*/*', 'application/*', 'application/json'].includes(range)) return false
    return !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter))
  })
}
