import { sign } from '../golden/token-mint.ts'

export interface ShellTokenOptions {
  readonly id: string
  readonly scope: 'host' | 'client' | 'stats'
  readonly prefix: 'shell' | 'connect'
  readonly audience: string
  readonly secret: string
  /** An hour when absent. */
  readonly lifetimeS?: number
}

/** A token as the old token commands make it (spec shell 2 and 3). */
export function shellToken(options: ShellTokenOptions): string {
  const { id, scope, prefix, audience, secret, lifetimeS = 3600 } = options
  const iat = Math.floor(Date.now() / 1000) - 1
  const claims = { topic: id, prefix, scopes: [scope], aud: [audience], exp: iat + lifetimeS, nbf: iat, iat }
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign(signed, 'HS256', secret)}`
}
