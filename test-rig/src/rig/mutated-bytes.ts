/** Random numbers that come again with the same seed (mulberry32): a finding can be replayed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A damaged copy of `sample`: bytes flipped, cut out, doubled, inserted or cut off. Never longer than 64 KiB. */
export function mutate(sample: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(sample)
  const rounds = 1 + Math.floor(random() * 6)
  for (let round = 0; round < rounds; round++) {
    const at = Math.floor(random() * (bytes.length + 1))
    const length = Math.floor(random() * 16)
    switch (Math.floor(random() * 6)) {
      case 0:
        if (at < bytes.length) bytes[at] = Math.floor(random() * 256)
        break
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(length, random), bytes.subarray(at)])
        break
      case 4:
        bytes = bytes.subarray(0, at)
        break
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length * 64, 'A'), bytes.subarray(at)])
    }
  }
  return bytes.subarray(0, 65_536)
}

export function randomBytes(length: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}
