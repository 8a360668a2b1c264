import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { joinXz } from '../debian/join-xz.ts'

const compress = (content: Buffer, ...args: readonly string[]): Buffer =>
  execFileSync('xz', ['--stdout', ...args], { input: content, maxBuffer: 64 << 20 })

test('what is joined unpacks to all contents in order, as one stream', () => {
  const large = Buffer.concat([randomBytes(300_000), Buffer.alloc(3_000_000, 'text ')])
  const contents = [Buffer.from('begin'), Buffer.alloc(0), large, Buffer.from('end')]
  // Several blocks in one of them, and numbers of several bytes in its index.
  const files = [
    ...contents.slice(0, 2).map((content) => compress(content)),
    compress(large, '--block-size=100000', '--threads=1'),
    compress(Buffer.from('end'), '-9'),
  ]

  const joined = joinXz(files)

  expect(execFileSync('xz', ['--decompress', '--stdout'], { input: joined, maxBuffer: 64 << 20 })).toEqual(
    Buffer.concat(contents),
  )
  const listed = execFileSync(
    'sh',
    ['-c', 'f=$(mktemp --suffix=.xz); cat > $f; xz --robot --list $f; rm $f'],
    {
      input: joined,
      encoding: 'utf8',
    },
  )
  // Streams, then blocks: dpkg reads one stream alone.
  expect(listed).toMatch(/^totals\t1\t\d\d\t/m)
})

test('what cannot be joined is refused', () => {
  const whole = compress(Buffer.from('x'))

  expect(() => joinXz([])).toThrow('nothing to join')
  expect(() => joinXz([whole, whole.subarray(0, -1)])).toThrow('no whole xz file')
  expect(() => joinXz([whole, compress(Buffer.from('x'), '--check=crc32')])).toThrow('different kinds')
})
