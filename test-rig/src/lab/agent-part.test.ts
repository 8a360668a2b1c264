import { expect, test } from 'vitest'
import { agentConfig } from './agent-part.ts'
import { LabTokens } from './lab-tokens.ts'

const options = {
  directory: '/tmp/lab',
  access: 'http://127.0.0.1:3000',
  tokens: new LabTokens('http://127.0.0.1:3000', 's'),
  serialDevice: '/dev/ttyACM0',
  localApiPort: 0,
  shell: undefined,
  nowMs: 0,
}

test('without a camera the agent shows the test pattern', () => {
  expect(agentConfig({ ...options, cameraDevice: undefined })).toMatchObject({
    cameras: [{ feed: 'video', preset: 'test-pattern' }],
    instruments: [{ feed: 'data', device: '/dev/ttyACM0' }],
  })
})

test('a camera is encoded with the settings of the fleet', () => {
  expect(agentConfig({ ...options, cameraDevice: '/dev/video0' })).toMatchObject({
    cameras: [{ feed: 'video', preset: 'mpeg1-compat', device: '/dev/video0' }],
  })
})

test('where there is an sshd the agent is its shell host', () => {
  const shell = {
    session: 'http://127.0.0.1:3004/shell/lab',
    token: 't',
    sshdPort: 2222,
    hostKeyDirectory: '/tmp/lab/ssh/host-keys',
  }

  expect(agentConfig({ ...options, cameraDevice: undefined, shell })).toMatchObject({
    shell: { session: shell.session, tokenFile: 'shell.token', sshd: { port: 2222 } },
  })
})
