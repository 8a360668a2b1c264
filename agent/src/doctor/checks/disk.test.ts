import { expect, test } from 'vitest'
import { judgeDisks, judgeRecordings } from './disk.ts'

const gibibyte = 1_073_741_824
const roomy = { totalBytes: 30 * gibibyte, freeBytes: 10 * gibibyte, totalInodes: 1000, freeInodes: 900 }
const judge = (space: Partial<typeof roomy>): readonly string[] =>
  judgeDisks([{ path: '/', use: 'the system', space: { ...roomy, ...space } }]).map(
    ({ level, what }) => `${level}: ${what}`,
  )

test('enough room is all right', () => {
  expect(judge({})).toEqual(['ok: / (the system) has 10.0 GiB of 30.0 GiB left'])
  expect(judge({ totalInodes: 0, freeInodes: 0 })).toEqual([
    'ok: / (the system) has 10.0 GiB of 30.0 GiB left',
  ])
})

test('little room is a warning, next to none a problem', () => {
  expect(judge({ freeBytes: gibibyte / 4 })).toEqual(['warning: / (the system) has 256 MiB of 30.0 GiB left'])
  expect(judge({ freeBytes: 0 })).toEqual(['problem: / (the system) has 0 MiB of 30.0 GiB left: it is full'])
})

test('a small card is measured by its own size', () => {
  expect(judge({ totalBytes: gibibyte, freeBytes: gibibyte / 4 })).toEqual([
    'ok: / (the system) has 256 MiB of 1.0 GiB left',
  ])
})

test('a disk without room for more files is found even when it has bytes', () => {
  expect(judge({ freeInodes: 3 })).toEqual(['problem: / (the system) has room for 3 more files only'])
})

test('a directory for recordings that is missing is a problem, one for logs is not', () => {
  const missing = judgeDisks([
    { path: '/srv/recordings', use: 'recordings', space: undefined },
    { path: '/var/log', use: 'logs', space: undefined },
  ])
  expect(missing.map(({ level, what }) => `${level}: ${what}`)).toEqual([
    'problem: the directory /srv/recordings for recordings is not there',
  ])
})

test('a directory for recordings into which the service cannot write is a problem', () => {
  const user = { name: 'relay-agent', uid: 990, gids: new Set([990]), isStandIn: false }
  const file = { kind: 'directory', mode: 0o755, uid: 990, gid: 0, sizeBytes: 0 } as const
  const free = { user, environment: '', properties: undefined }
  const strict = { ...free, properties: new Map([['ProtectSystem', 'strict']]) }

  expect(judgeRecordings('/srv/r', file, free)).toEqual([])
  expect(judgeRecordings('/srv/r', { ...file, uid: 0 }, free)[0]?.what).toMatch(
    /relay-agent may not write to/,
  )
  expect(judgeRecordings('/srv/r', file, strict)[0]?.what).toMatch(/\(ProtectSystem\)/)
})
