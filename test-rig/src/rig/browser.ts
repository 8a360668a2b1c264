import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const screenshots = join(import.meta.dirname, '..', '..', '..', 'test-output', 'screenshots')
/** As root there is no sandbox; and nothing may be looked up outside of this machine. */
const flags = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--disable-gpu',
  '--no-first-run',
  '--disable-breakpad',
  '--disable-crash-reporter',
]

/** The distribution's own browser, headless. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = candidates.find((path) => existsSync(path))
  if (executablePath === undefined)
    throw new Error(`no browser at ${candidates.join(', ')}; "npm test" installs one`)
  return await chromium.launch({ executablePath, args: flags })
}

/** Keeps a picture of the page in `test-output/screenshots`, for people. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`) })
}

interface EncodedPicture {
  readonly width: number
  readonly height: number
  /** RGBA in base64. */
  readonly pixels: string
}

/** Runs in the browser; a text, as the types of a page are not those of Node. */
const decodePng = `async (data) => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob())
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  let pixels = ''
  for (const byte of context.getImageData(0, 0, image.width, image.height).data) pixels += String.fromCharCode(byte)
  return { width: image.width, height: image.height, pixels: btoa(pixels) }
}`

export interface Picture {
  readonly width: number
  readonly height: number
  /** RGBA, row by row. */
  readonly pixels: Buffer
}

/** What an element shows, as pixels: decoded by the browser in a page of its own. */
export async function pictureOf(element: Locator, decoder: Page): Promise<Picture> {
  const png = (await element.screenshot()).toString('base64')
  const { width, height, pixels } = await decoder.evaluate<EncodedPicture>(`(${decodePng})('${png}')`)
  return { width, height, pixels: Buffer.from(pixels, 'base64') }
}

/** Share of pixels, 0 to 1, that differ by more than a little between two pictures of equal size. */
export function changedShare(a: Picture, b: Picture): number {
  if (a.pixels.length !== b.pixels.length) return 1
  let changed = 0
  for (let at = 0; at < a.pixels.length; at += 4) {
    const difference =
      Math.abs((a.pixels[at] ?? 0) - (b.pixels[at] ?? 0)) +
      Math.abs((a.pixels[at + 1] ?? 0) - (b.pixels[at + 1] ?? 0)) +
      Math.abs((a.pixels[at + 2] ?? 0) - (b.pixels[at + 2] ?? 0))
    if (difference > 48) changed += 1
  }
  return changed / (a.pixels.length / 4)
}

/** How many clearly different colours a picture has: 1 for a blank one, more than some for a test pattern. */
export function colourCount({ pixels }: Picture): number {
  const colours = new Set<number>()
  for (let at = 0; at < pixels.length; at += 4) {
    colours.add(
      (((pixels[at] ?? 0) >> 5) << 6) | (((pixels[at + 1] ?? 0) >> 5) << 3) | ((pixels[at + 2] ?? 0) >> 5),
    )
  }
  return colours.size
}
