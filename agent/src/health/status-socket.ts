import { randomBytes } from 'node:crypto'
import { type BigIntStats, chmodSync, linkSync, lstatSync, statSync, unlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { errorCode, UnavailableError } from '@relay/common/errors'
import type { PlainAnswer } from '@relay/common/metrics-server'

/** The kernel takes 107 bytes for the name of a socket; ours stands for a moment under a longer one. */
export const longestSocketPathBytes = 96
/** Its owner and its group: root and the user of the agent, and technicians who are made members. */
const socketMode = 0o660
const probeWithinMs = 1_000
const maxConnections = 32

/**
 * The status of the agent at a unix socket, for `relay-agent status`.
 *
 * Invariants: the socket appears with its final permissions and takes its name only where nobody has it; the file that
 * a killed agent left is replaced, that of a running one never; closing removes no file but its own.
 */
export class StatusSocket {
  readonly #path: string
  readonly #inode: bigint
  readonly #server: Server

  private constructor(path: string, inode: bigint, server: Server) {
    this.#path = path
    this.#inode = inode
    this.#server = server
  }

  /**
   * @throws {UnavailableError} `STATUS_SOCKET_IN_USE`, `STATUS_SOCKET_OCCUPIED`, `STATUS_SOCKET_NO_DIRECTORY`,
   *   `STATUS_SOCKET_FORBIDDEN` or `STATUS_SOCKET_FAILED`.
   */
  static async open(
    path: string,
    answers: Readonly<Record<string, () => PlainAnswer>>,
  ): Promise<StatusSocket> {
    await makeRoom(path)
    const server = answeringServer(new Map(Object.entries(answers)))
    const draft = `${path}.${randomBytes(4).toString('hex')}`
    try {
      // Where it is missing the system speaks of permissions.
      statSync(dirname(path))
      await listenAt(server, draft)
      chmodSync(draft, socketMode)
      const inode = inodeOf(draft)
      // Unlike a rename this never takes a name away from somebody who was quicker.
      linkSync(draft, path)
      unlinkSync(draft)
      return new StatusSocket(path, inode, server)
    } catch (cause) {
      server.close()
      throw openError(path, cause)
    }
  }

  /** The name still leads here. Somebody may have tidied up its folder. */
  get isInPlace(): boolean {
    try {
      return inodeOf(this.#path) === this.#inode
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.isInPlace) removeIfThere(this.#path)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

function answeringServer(answers: ReadonlyMap<string, () => PlainAnswer>): Server {
  const server = createServer((request, response) => {
    const answer = answers.get(request.url?.split('?')[0] ?? '')?.()
    if (answer === undefined || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' })
      response.end(`GET ${[...answers.keys()].join(', ')}\n`)
      return
    }
    response.writeHead(answer.status, { 'content-type': answer.contentType, connection: 'close' })
    response.end(answer.body)
  })
  server.requestTimeout = 10_000
  // Whoever stops reading gives its place to others.
  server.setTimeout(10_000)
  server.maxConnections = maxConnections
  return server
}

function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      server.off('error', reject)
      // A later error (no more descriptors) costs one question, never the agent.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

/** Removes what a killed agent left there. */
async function makeRoom(path: string): Promise<void> {
  const found = whatIsAt(path)
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new UnavailableError(
      'STATUS_SOCKET_OCCUPIED',
      `${path} is a file and no socket; remove it or choose another name for status.socket`,
    )
  }
  if (await isAnswered(path)) throw inUse(path)
  // It may be that of another agent by now, which starts at the same moment, even with the same number of inode.
  const now = whatIsAt(path)
  if (now?.ino === found.ino && now.ctimeNs === found.ctimeNs) removeIfThere(path)
}

/** Somebody listens there, or has too much to do to say so. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', (error) => finish(!['ECONNREFUSED', 'ENOENT'].includes(errorCode(error) ?? '')))
    socket.setTimeout(probeWithinMs, () => finish(true))
  })
}

function whatIsAt(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw openError(path, cause)
  }
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ino
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

function inUse(path: string): UnavailableError {
  return new UnavailableError(
    'STATUS_SOCKET_IN_USE',
    `another agent serves its status at ${path}; stop it, or give this one another status.socket`,
  )
}

function openError(path: string, cause: unknown): UnavailableError {
  switch (errorCode(cause)) {
    case 'EEXIST':
    case 'EADDRINUSE':
      return inUse(path)
    case 'ENOENT':
    case 'ENOTDIR':
      return new UnavailableError(
        'STATUS_SOCKET_NO_DIRECTORY',
        `the folder of ${path} does not exist; systemd makes it (RuntimeDirectory), else choose another status.socket`,
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UnavailableError(
        'STATUS_SOCKET_FORBIDDEN',
        `${path} may not be made by this user; choose another status.socket`,
      )
    default:
      return new UnavailableError('STATUS_SOCKET_FAILED', `${path} cannot be opened`, { cause })
  }
}
