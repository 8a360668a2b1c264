import { systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { silentLog } from '@relay/common/log'
import { agentConfigSpec } from '../src/config.ts'
import { FeedHub } from '../src/feeds/feed-hub.ts'
import { Camera } from '../src/video/camera.ts'
import { cameraOptions } from '../src/video/camera-options.ts'

// A process of its own that runs one camera until it is killed, and prints the pid of its encoder: for the test of
// what is left when the agent dies without a chance to clean up.
const config = loadConfig(agentConfigSpec, {
  file: { path: 'agent.yaml', text: 'cameras: [{ name: cam, preset: test-pattern }]' },
})
const [camera] = config.cameras
if (camera === undefined) throw new Error('no camera')
const hub = new FeedHub()
const running = new Camera(cameraOptions(camera, 'ffmpeg', process.env), {
  hub,
  clock: systemClock,
  random: Math.random,
  log: silentLog(),
})
hub.join('video', {
  name: 'first frame',
  deliver: () => {
    if (running.status().frames <= 1) process.stdout.write(`${running.status().pid}\n`)
  },
})
await running.run(new AbortController().signal)
