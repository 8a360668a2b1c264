import { closeSync, openSync, readSync } from 'node:fs'
import { errorCode } from '@relay/common/errors'
import { parseClaims } from '@relay/common/token/claims'
import { checkedToken, maxTokenBytes } from '@relay/common/token-source'

/** What is wrong with the token in `path` for `topic` at `nowMs`; undefined where nothing is known. Never shows any of it. */
export function checkTokenFile(path: string, topic: string, nowMs: number): string | undefined {
  let token: string
  try {
    token = checkedToken(readStart(path), path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return `the token file ${path} is not there now`
    if (errorCode(error) !== 'TOKEN_WRONG') return `the token file ${path} cannot be read`
    return error instanceof Error ? error.message : undefined
  }
  const flaw = tokenFlaw(token, topic, nowMs)
  return flaw === undefined ? undefined : `the token in ${path} ${flaw}`
}

/** What anybody can see of a token without its secret; one of another form may be fine with another relay. Pure. */
export function tokenFlaw(token: string, topic: string, nowMs: number): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const claims = parseClaims(JSON.parse(payload))
    if (claims.expiresAtSec !== undefined && claims.expiresAtSec * 1000 <= nowMs) return 'has expired'
    if (claims.notBeforeSec !== undefined && claims.notBeforeSec * 1000 > nowMs) return 'is not valid yet'
    if (claims.topic !== '' && claims.topic !== topic) return `is for another topic than ${topic}`
    return undefined
  } catch {
    return undefined
  }
}

function readStart(path: string): string {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(maxTokenBytes + 1)
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0))
  } finally {
    closeSync(file)
  }
}
