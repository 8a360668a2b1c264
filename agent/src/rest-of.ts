const nothing: Buffer = Buffer.alloc(0)

/**
 * What of `data` begins at `start`, to be kept until more comes. Where that is nothing it holds no memory of `data`: an
 * empty piece would hold the whole chunk, beyond a collection of young garbage, and so until all garbage is collected.
 */
export function restOf(data: Buffer, start: number): Buffer {
  return start < data.length ? data.subarray(start) : nothing
}
