import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

const pieceBytes = 4 * 1024 * 1024

/** Writes a file of bytes that repeat nowhere, so that a lost or doubled piece shows, and returns its sha256. */
export async function writeRandomFile(path: string, bytes: number): Promise<string> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2))
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(pieceBytes)
  await using file = await open(path, 'w')
  for (let written = 0; written < bytes; written += pieceBytes) {
    const piece = cipher.update(zeros.subarray(0, Math.min(pieceBytes, bytes - written)))
    hash.update(piece)
    await file.write(piece)
  }
  return hash.digest('hex')
}

/** The sha256 of a file. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: pieceBytes }), hash)
  return hash.digest('hex')
}
