import { expect, test } from 'vitest'
import { LocalApiFixture, resultOf, runCommand, startCommand } from './local-api-fixture.ts'

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJ0b3BpYyI6InNwaW4zMC12aWRlbyJ9.c2lnbmF0dXJl'

/** A boot script as it is in the field: rules by curl, video by ffmpeg, data by a websocket adaptor. */
test('an existing field script works with only the address of the machine known', async () => {
  await using api = await LocalApiFixture.open({ options: { host: 'localhost' } })
  const base = `localhost:${api.api.port}`
  const script = `
set -e
curl -sf -X POST -H "Content-Type: application/json" -d '{"stream":"video","destination":"https://app.practable.io/ed0/access/session/spin30-video","id":"0","token":"${token}"}' http://${base}/api/destinations
curl -sf -X POST -H "Content-Type: application/json" -d '{"stream":"data","destination":"https://app.practable.io/ed0/access/session/spin30-data","id":"1","token":"${token}"}' http://${base}/api/destinations
`
  const posted = await runCommand('sh', ['-c', script])
  expect(posted).toMatchObject({ code: 0, stderr: '' })
  expect(posted.stdout).toBe(
    `{"id":"0","stream":"video","destination":"https://app.practable.io/ed0/access/session/spin30-video","token":"${token}","file":""}` +
      `{"id":"1","stream":"data","destination":"https://app.practable.io/ed0/access/session/spin30-data","token":"${token}","file":""}`,
  )
  expect(api.started.map(({ id, stream }) => [id, stream])).toEqual([
    ['0', 'video'],
    ['1', 'data'],
  ])

  const video = api.listen('video')
  const source = '-v error -re -f lavfi -i testsrc=size=640x480:rate=24'
  const output = '-f mpegts -codec:v mpeg1video -s 640x480 -b:v 1000k -bf 0'
  const encoder = startCommand('ffmpeg', [
    ...source.split(' '),
    ...output.split(' '),
    `http://${base}/ts/video`,
  ])
  const encoded = resultOf(encoder)
  try {
    await video.count(24)
    expect(
      video.messages.every(({ data, binary }) => binary && data[0] === 0x47 && data.length % 188 === 0),
    ).toBe(true)
  } finally {
    encoder.kill('SIGINT')
    await encoded
  }

  // `websocat ws://localhost:8888/ws/data tcp-listen:127.0.0.1:9999 --text`: text frames, no origin, no subprotocol.
  const data = api.listen('data')
  const adaptor = await api.dial('data')
  adaptor.socket.send('{"angle":0.5}\n')
  await data.count(1)
  expect(data.messages).toEqual([{ data: Buffer.from('{"angle":0.5}\n'), binary: false }])
  api.hub.publish(
    'data',
    { data: Buffer.from('{"set":"mode"}'), binary: false },
    { name: 'uplink', deliver: () => undefined },
  )
  await adaptor.count(1)
  expect(adaptor.messages).toEqual([{ data: Buffer.from('{"set":"mode"}'), binary: false }])
})
