import { expect, test } from 'vitest'
import { ConfiguredStreams } from './configured-streams.ts'

test('a reload puts what is new or changed, deletes what is gone, and leaves the rest to scripts', () => {
  const calls: string[] = []
  const streams = new ConfiguredStreams({
    put: ({ stream, feeds }) => void calls.push(`put ${stream}: ${feeds.join()}`),
    delete: (stream) => calls.push(`delete ${stream}`) > 0,
  })
  streams.apply([
    { stream: 'stream/a', feeds: ['x'] },
    { stream: 'stream/b', feeds: ['x'] },
    { stream: 'stream/c', feeds: ['x'] },
  ])
  calls.length = 0

  streams.apply([
    { stream: 'stream/d', feeds: ['z'] },
    { stream: 'stream/b', feeds: ['x', 'y'] },
    { stream: 'stream/a', feeds: ['x'] },
  ])

  expect(calls).toEqual(['put stream/d: z', 'put stream/b: x,y', 'delete stream/c'])
})
