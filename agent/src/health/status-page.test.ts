import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { madeUpReport } from './made-up-report.ts'
import { escaped, pagePolicy, statusPage } from './status-page.ts'
import type { StatusReport } from './status-report.ts'

const reportOf = (parts: Readonly<Record<string, unknown>>): StatusReport =>
  madeUpReport(parts, { atMs: 1_000_000, upMs: 120_000 })

const fault = { code: 'CAMERA_LOST', message: 'it went away', atMs: 880_000 }

test('the page says how it stands, why, and what every part does', () => {
  const page = statusPage(
    reportOf({
      cameras: [
        { name: 'front', state: 'waiting', feed: 'video', frames: 12, fault, stderr: ['inner words'] },
      ],
      uplinks: [{ id: 'pend00-video', state: { kind: 'live' }, destination: 'https://relay.example/x' }],
    }),
  )

  expect(page).toContain('<title>pend00: not ready</title>')
  expect(page).toContain('<li>camera front: it went away; look at its plug and cable')
  expect(page).toMatch(
    /<h3>front<\/h3><p class="state bad">waiting<\/p><p>feed\u00a0video, frames\u00a012<\/p>/,
  )
  expect(page).toContain('<code>CAMERA_LOST</code> 2 minutes ago')
  expect(page).toContain('<h2>uplinks</h2>')
  expect(page).not.toContain('inner words')
  expect(page).not.toContain('relay.example')
})

test('servers of the agent are shown only where they are missing', () => {
  const page = statusPage(
    reportOf({
      servers: [
        { name: 'metrics', state: 'served' },
        { name: 'local API', state: 'waiting' },
      ],
    }),
  )

  expect(page).not.toContain('metrics')
  expect(page).toContain('<h3>local API</h3>')
})

test('an agent that does well, or has nothing to do, says so', () => {
  const page = statusPage(reportOf({ name: '' }))

  expect(page).toContain('<title>relay-agent: all well</title>')
  expect(page).toContain('Nothing is configured.')
})

test('whatever parts say, it stays text', () => {
  const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&lt;`
  const page = statusPage(
    reportOf({
      name: evil,
      [evil]: [{ name: evil, state: evil, feed: evil, fault: { code: evil, message: evil, atMs: 0 } }],
    }),
  )

  expect(page.match(/<script>/g)).toHaveLength(1)
  expect(page).not.toContain('<img')
})

test('escaped text has nothing that HTML reads as more than text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escaped(text)).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/)
    }),
  )
})

test('the policy lets nothing run but the script and the style of the page', () => {
  const page = statusPage(reportOf({}))
  const policy = pagePolicy()
  for (const tag of ['script', 'style']) {
    const [, text = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page) ?? []
    expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  }
  expect(policy).toMatch(/^default-src 'none'; /)
  expect(policy).not.toMatch(/unsafe|\*/)
})
