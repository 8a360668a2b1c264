import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../src/read-config.ts'
import { cameraFixture } from './camera-fixture.ts'

const { temporaryDirectory } = cameraFixture()

test('two names of one camera are told when the configuration is read', () => {
  const directory = temporaryDirectory()
  const video = join(directory, 'video0')
  const byId = join(directory, 'by-id')
  const path = join(directory, 'agent.yaml')
  writeFileSync(video, '')
  symlinkSync(video, byId)
  writeFileSync(
    path,
    `cameras: [{ name: a, device: ${video} }, { name: b, feed: b, device: ${byId} }, { name: c, feed: c, device: ${directory}/none }]`,
  )

  const { warnings } = readConfig({ path, environment: process.env, arguments: {} })

  expect(warnings.map(({ what }) => what)).toContain(
    `${byId} is the camera of cameras[0] by another name (${video}), and only one of them can have it`,
  )
  expect(warnings.filter(({ what }) => what.includes('another name'))).toHaveLength(1)
})
