import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { AgentWorkbench, freePort } from '../../agent/test/agent-workbench.ts'
import { PtyPair } from '../../agent/test/pty-pair.ts'
import { keepScreenshot, launchBrowser } from '../src/rig/browser.ts'

let browser: Browser
let bench: AgentWorkbench
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

/** An agent with a camera that works and a board that is not plugged in yet. */
async function startAgent() {
  const port = await freePort()
  const board = new PtyPair(bench.directory)
  bench.later(() => board.unplug())
  const config = bench.write(
    'agent.yaml',
    `
name: pend00
localApi: { enabled: false }
status: { socket: "" }
statusPage: { host: 127.0.0.1, port: ${port} }
cameras: [{ name: front, preset: test-pattern }]
instruments: [{ name: board, device: ${board.device} }]
`,
  )
  return {
    agent: bench.start({ args: ['run', '--config', config] }),
    board,
    address: `http://127.0.0.1:${port}/`,
  }
}

/** The page as soon as the agent serves it; with every complaint of the browser about it. */
async function openPage(address: string, options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage(options)
  bench.later(() => page.close())
  const complaints: string[] = []
  page.on('console', (message) => void complaints.push(message.text()))
  page.on('pageerror', (error) => void complaints.push(error.message))
  await expect
    .poll(
      () =>
        page.goto(address).then(
          (answer) => answer?.status(),
          () => undefined,
        ),
      soon,
    )
    .toBe(200)
  complaints.length = 0
  return { page, complaints }
}

const summaryOf = (page: Page) => page.locator('#summary').textContent()
const soon = { timeout: 30_000 }

test('the page follows the agent without being loaded again, and says when it is old', async () => {
  const { agent, board, address } = await startAgent()
  const { page, complaints } = await openPage(address)
  await expect.poll(() => summaryOf(page), soon).toBe('not ready')
  await expect
    .poll(() => page.locator('.parts li', { hasText: 'front' }).textContent(), soon)
    .toContain('frames/s')
  await page.evaluate(`document.querySelector('h1').dataset.kept = 'yes'`)
  await keepScreenshot(page, 'status-page-wide')

  await board.plug()
  await expect.poll(() => summaryOf(page), soon).toBe('all well')

  expect(await page.title()).toBe('pend00: all well')
  expect(await page.locator('h1').getAttribute('data-kept')).toBe('yes')
  expect(complaints).toEqual([])
  await agent.stop()
  await expect.poll(() => summaryOf(page), soon).toBe('no answer, this is old')
})

test('the page is readable on a phone, in the dark and without a script', async () => {
  const { address } = await startAgent()
  const { page } = await openPage(address, {
    viewport: { width: 320, height: 900 },
    colorScheme: 'dark',
    javaScriptEnabled: false,
  })
  await expect
    .poll(async () => (await page.reload(), page.locator('.parts').first().textContent()), {
      timeout: 30_000,
    })
    .toContain('live')

  await keepScreenshot(page, 'status-page-narrow')
  const box = await page.locator('body').boundingBox()
  const cards = await page.locator('.parts li, .verdicts div').all()
  for (const card of cards) {
    const place = await card.boundingBox()
    expect((place?.x ?? 0) + (place?.width ?? 0)).toBeLessThanOrEqual(box?.width ?? 0)
  }
  expect(cards).toHaveLength(5)
  expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(1)
})
