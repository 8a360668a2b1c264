import { readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { AppError } from '@relay/common/errors'
import { OwnedProcess } from './owned-process.ts'
import { describeEnd } from './part.ts'

export interface PageFile {
  readonly bytes: Buffer
  readonly type: string
}

/** Every file of the built page by its path, such as `/lab.html`. */
export type PageFiles = ReadonlyMap<string, PageFile>

/** Where the page is written, and where it is built to. */
export interface PagePlace {
  readonly sources: string
  readonly built: string
}

const book = join(import.meta.dirname, '..', '..', '..', 'book', 'web')
export const pagePlace: PagePlace = { sources: book, built: join(book, 'dist') }
const maxPageBytes = 50 * 1024 * 1024

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
}

/** Whether the page must be built: it is missing, or a source is newer than it. */
export async function isPageOutdated({ sources, built }: PagePlace): Promise<boolean> {
  const page = await stat(join(built, 'lab.html')).catch(() => undefined)
  if (page === undefined) return true
  const files = (await filesBelow(sources)).filter(
    (path) => !isInside(path, built) && !path.includes('.test.'),
  )
  const times = await Promise.all(files.map(async (path) => (await stat(path)).mtimeMs))
  return times.some((mtimeMs) => mtimeMs > page.mtimeMs)
}

/**
 * Builds the page.
 * @throws {AppError} `PAGE_BUILD_FAILED` with what the bundler said.
 */
export async function buildPage({ sources }: PagePlace, signal: AbortSignal): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('vite/package.json')
  await using vite = await OwnedProcess.start({
    name: 'vite',
    command: process.execPath,
    args: [join(dirname(manifest), 'bin', 'vite.js'), 'build', sources, '--logLevel', 'warn'],
    // Else it would leave a folder of compiled code in the temporary folder.
    env: { NODE_DISABLE_COMPILE_CACHE: '1' },
  })
  const stop = (): void => void vite.kill()
  signal.addEventListener('abort', stop, { once: true })
  const end = await vite.ended
  signal.removeEventListener('abort', stop)
  if (end.code === 0 || signal.aborted) return
  const said = vite.lastLines.join('\n    ')
  throw new AppError(
    'PAGE_BUILD_FAILED',
    `the page cannot be built: vite ended ${describeEnd(end)}\n    ${said}`,
  )
}

/**
 * Reads the built page into memory, so that building it again disturbs nobody who is being served.
 * @throws {AppError} `PAGE_TOO_LARGE` over 50 MiB.
 */
export async function readPage({ built }: PagePlace): Promise<PageFiles> {
  const files = new Map<string, PageFile>()
  let total = 0
  for (const path of await filesBelow(built)) {
    const bytes = await readFile(path)
    total += bytes.length
    if (total > maxPageBytes) throw new AppError('PAGE_TOO_LARGE', `${built} holds more than 50 MiB`)
    const type = types[extname(path)] ?? 'application/octet-stream'
    files.set(`/${relative(built, path).split(sep).join('/')}`, { bytes, type })
  }
  return files
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function isInside(path: string, directory: string): boolean {
  return path.startsWith(`${directory}${sep}`)
}
