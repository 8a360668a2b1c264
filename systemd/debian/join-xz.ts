import { crc32 } from 'node:zlib'

const headerBytes = 12
const footerBytes = 12

/**
 * Joins files of xz into one stream whose content is theirs, one behind the other, without compressing anything anew:
 * an xz stream is a row of blocks with an index behind them (the .xz file format, sections 2 and 4). Plain
 * concatenation would be two streams, of which dpkg reads the first. Pure.
 * @throws where one of them is not such a file, or their checksums are of different kinds.
 */
export function joinXz(files: readonly Buffer[]): Buffer {
  const streams = files.map(partsOf)
  const [first] = streams
  if (first === undefined) throw new Error('there is nothing to join')
  if (streams.some(({ header }) => !header.equals(first.header))) {
    throw new Error('the xz streams have checksums of different kinds')
  }
  const records = streams.reduce((sum, { recordCount }) => sum + recordCount, 0)
  const indexBody = Buffer.concat([
    Buffer.from([0]),
    encoded(records),
    ...streams.map((stream) => stream.records),
  ])
  const padded = Buffer.concat([indexBody, Buffer.alloc((4 - (indexBody.length % 4)) % 4)])
  const index = Buffer.concat([padded, littleEndian(crc32(padded))])
  const footerBody = Buffer.concat([littleEndian(index.length / 4 - 1), first.header.subarray(6, 8)])
  const footer = Buffer.concat([littleEndian(crc32(footerBody)), footerBody, Buffer.from('YZ')])
  return Buffer.concat([first.header, ...streams.map(({ blocks }) => blocks), index, footer])
}

interface XzParts {
  readonly header: Buffer
  readonly blocks: Buffer
  readonly recordCount: number
  /** Of the index: the sizes of every block, as they are encoded. */
  readonly records: Buffer
}

function partsOf(file: Buffer): XzParts {
  const isWhole =
    file.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])) &&
    file.subarray(-2).toString('latin1') === 'YZ'
  if (!isWhole) throw new Error('this is no whole xz file')
  const indexBytes = (file.readUInt32LE(file.length - 8) + 1) * 4
  const indexAt = file.length - footerBytes - indexBytes
  const index = file.subarray(indexAt, file.length - footerBytes)
  const count = decoded(index, 1)
  let end = count.end
  for (let numbers = 0; numbers < count.value * 2; numbers += 1) end = decoded(index, end).end
  return {
    header: file.subarray(0, headerBytes),
    blocks: file.subarray(headerBytes, indexAt),
    recordCount: count.value,
    records: index.subarray(count.end, end),
  }
}

/** A number as xz writes it: seven bits in each byte, the lowest first (section 1.2). */
function encoded(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

function decoded(from: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let end = at, factor = 1; ; end += 1, factor *= 128) {
    const byte = from.readUInt8(end)
    value += (byte % 128) * factor
    if (byte < 128) return { value, end: end + 1 }
  }
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
