import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** The first bytes of a file, at most `maxBytes` of them. A pipe in its place must not keep us waiting for who writes into it. */
export async function readStart(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(maxBytes)
  const { bytesRead } = await file.read(buffer, 0, maxBytes, 0)
  return buffer.subarray(0, bytesRead)
}
