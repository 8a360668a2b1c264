import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { programPaths } from '../src/lab/program-paths.ts'
import { changedShare, colourCount, keepScreenshot, launchBrowser, pictureOf } from '../src/rig/browser.ts'
import { LabUnderTest } from '../src/rig/lab-under-test.ts'
import { measured } from '../src/rig/measured.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { until } from '../src/rig/until.ts'

const screens = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 360, height: 740 },
] as const

describe('the page of npm start', () => {
  let lab: LabUnderTest
  let browser: Browser
  beforeAll(async () => {
    lab = await LabUnderTest.start()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await lab[Symbol.asyncDispose]()
  })

  test.each(screens)('shows moving pictures on a $name screen', async ({ name, width, height }) => {
    const { page, faults } = await open(browser, lab.address, { width, height })
    await expectMovingPictures(page, await browser.newPage())
    await keepScreenshot(page, `lab-${name}`)
    expect(faults).toEqual([])
    await page.close()
  })

  test('shows a chart that moves, and a control that changes the instrument', async () => {
    const { page } = await open(browser, lab.address)
    const chart = page.getByTestId('chart')
    const points = async (): Promise<number> => Number(await chart.getAttribute('data-points'))
    const before = await until('points in the chart', points)
    await until('more points', async () => (await points()) > before + 20)
    await using witness = await lab.join('data')
    const slider = page.getByTestId('control-target')
    await slider.waitFor()
    const [min, max] = [Number(await slider.getAttribute('min')), Number(await slider.getAttribute('max'))]
    const target = Math.round((min + (max - min) * 0.75) * 10) / 10

    const setAtMs = performance.now()
    await slider.fill(String(target))

    const changed = await witness.message(({ data }) => targetOf(data) === target)
    measured('slider to changed reading', `${(changed.atMs - setAtMs).toFixed(0)} ms`)
    const arrived = await witness.message(
      ({ data, atMs }) => atMs > changed.atMs && Math.abs(angleOf(data) - target) < 0.3,
      30_000,
    )
    expect(angleOf(arrived.data)).toBeCloseTo(target, 0)
    await keepScreenshot(page, 'lab-driven')
    await page.close()
  })

  test('stops the instrument by button and by the Escape key', async () => {
    const { page } = await open(browser, lab.address)
    await using witness = await lab.join('data')
    for (const stop of [() => page.getByTestId('stop').click(), () => page.keyboard.press('Escape')]) {
      witness.send('{"cmd":"start"}')
      await expectRunning(witness, true)
      await stop()
      await expectRunning(witness, false)
    }
    await page.close()
  })

  test('tells the measured round trip and the time left', async () => {
    const { page } = await open(browser, lab.address)
    await until('a round trip', async () =>
      /\d/.test((await page.getByTestId('latency').textContent()) ?? ''),
    )
    expect(await page.getByTestId('time-left').textContent()).toMatch(/\d/)
    expect(await page.evaluate('location.href')).not.toContain('eyJ')
    await page.close()
  })

  test('says what is wrong with its address', async () => {
    for (const [fragment, words] of [
      ['', /booking/i],
      ['#streams=%5B%7B', /streams/i],
    ] as const) {
      const page = await browser.newPage()
      await page.goto(new URL(`lab.html${fragment}`, lab.address).href)
      expect(await page.getByTestId('problem').textContent()).toMatch(words)
      await page.close()
    }
  })
})

test('H.264 from an encoder shows moving pictures as well', async () => {
  await using lab = await LabUnderTest.start()
  await using relay = await RelayUnderTest.start({ RELAY_ACCESS_CORS_ORIGINS: '*' })
  const directory = await mkdtemp(join(tmpdir(), 'relay-h264-'))
  const browser = await launchBrowser()
  try {
    await using _agent = await startH264Agent(directory, relay)
    const token = await relay.token('rig-video', { scopes: ['read'] })
    const streams = JSON.stringify([{ for: 'video', verb: 'POST', url: relay.topic('rig-video'), token }])
    const { page } = await open(
      browser,
      new URL(`lab.html#streams=${encodeURIComponent(streams)}`, lab.address).href,
    )

    await expectMovingPictures(page, await browser.newPage())
    await keepScreenshot(page, 'lab-h264')
  } finally {
    await browser.close()
    await rm(directory, { recursive: true, force: true })
  }
})

async function open(browser: Browser, address: string, viewport = { width: 1280, height: 800 }) {
  const page = await browser.newPage({ viewport })
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await page.goto(address)
  return { page, faults }
}

/** Pixels compared: many colours, and a clear part of them different half a second later. */
async function expectMovingPictures(page: Page, decoder: Page): Promise<void> {
  const openedAtMs = performance.now()
  await until('live video', async () => {
    const state = await page.getByTestId('state-video').getAttribute('data-state', { timeout: 20_000 })
    return state === 'live'
  })
  measured('page to live video', `${((performance.now() - openedAtMs) / 1000).toFixed(2)} s`)
  const screen = page.getByTestId('video').first()
  const first = await pictureOf(screen, decoder)
  expect(colourCount(first)).toBeGreaterThan(8)
  const share = await until('a picture that differs', async () => {
    const changed = changedShare(first, await pictureOf(screen, decoder))
    return changed > 0.03 ? changed : undefined
  })
  measured('share of pixels that changed', share.toFixed(3))
}

interface Witness {
  message(wanted: (received: { readonly data: Buffer; readonly atMs: number }) => boolean): Promise<unknown>
}

async function expectRunning(witness: Witness, wanted: boolean): Promise<void> {
  const fromMs = performance.now()
  await witness.message(({ data, atMs }) => atMs > fromMs && readingOf(data)['running'] === wanted)
}

function readingOf(data: Buffer): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(data.toString()) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

function targetOf(data: Buffer): unknown {
  return readingOf(data)['target']
}

function angleOf(data: Buffer): number {
  return Number(readingOf(data)['angle'])
}

async function startH264Agent(directory: string, relay: RelayUnderTest): Promise<OwnedProcess> {
  const config = join(directory, 'agent.yaml')
  await writeFile(join(directory, 'video.token'), await relay.token('rig-video', { scopes: ['write'] }), {
    mode: 0o600,
  })
  const source = 'testsrc2=size=640x480:rate=25'
  const encoder = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '25',
  ]
  await writeFile(
    config,
    stringify({
      relay: { access: relay.access },
      localApi: { enabled: false },
      cameras: [
        {
          name: 'pattern',
          preset: 'custom',
          arguments: ['-re', '-f', 'lavfi', '-i', source, ...encoder, '-f', 'mpegts'],
        },
      ],
      topics: [{ topic: 'rig-video', feed: 'video', tokenFile: 'video.token' }],
    }),
  )
  return await OwnedProcess.start({
    name: 'agent',
    command: process.execPath,
    args: [programPaths.agent, 'run', '--config', config],
  })
}
