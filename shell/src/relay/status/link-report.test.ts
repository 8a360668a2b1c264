import { expect, test } from 'vitest'
import { generatorElement, type LinkFacts, linkElement } from './link-report.ts'

const facts: LinkFacts = {
  topic: 'pend00/0b0e5a34-0000-4000-8000-000000000001',
  id: 'pend00',
  role: 'client',
  kind: 'shell',
  session: 'paired',
  scopes: ['client'],
  remoteAddr: '192.0.2.7',
  userAgent: 'Go-http-client/1.1',
  connectedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  joinedMs: 1000,
  expiresAtSec: Date.UTC(2026, 0, 2, 4, 4, 5) / 1000,
  sent: { messages: 4, bytes: 1000, lastMs: 3000 },
  received: { messages: 0, bytes: 0, lastMs: -1 },
}

test('an element has the keys of both generations and ours', () => {
  expect(linkElement(facts, 4500)).toEqual({
    topic: facts.topic,
    canRead: true,
    canWrite: true,
    connected: '2026-01-02T03:04:05Z',
    expiresAt: '2026-01-02T04:04:05Z',
    remoteAddr: '192.0.2.7',
    userAgent: 'Go-http-client/1.1',
    scopes: ['client', 'read', 'write'],
    stats: { tx: { last: '1.5s', size: 250, fps: 2 }, rx: { last: 'Never', size: 0, fps: 0 } },
    can_read: true,
    can_write: true,
    connected_at: '2026-01-02T03:04:05Z',
    expires_at: '2026-01-02T04:04:05Z',
    remote_address: '192.0.2.7',
    user_agent: 'Go-http-client/1.1',
    statistcs: { last: '1.5s' },
    id: 'pend00',
    role: 'client',
    peer: 'shell',
    session: 'paired',
    bytesFrom: 1000,
    bytesTo: 0,
  })
})

test('a link that never sent, and one whose only message came at once, are written as JSON can', () => {
  const silent = linkElement({ ...facts, sent: facts.received, session: undefined }, 4500)
  expect(silent).toMatchObject({ statistcs: { last: '2562047h47m16.854775807s' } })
  expect(silent).not.toHaveProperty('session')
  const quick = linkElement({ ...facts, sent: { messages: 1, bytes: 8, lastMs: 1000 } }, 4500)
  expect(quick).toMatchObject({ stats: { tx: { size: 8, fps: 0 } } })
})

test('the relay lists itself as a member of stats', () => {
  expect(generatorElement(0)).toMatchObject({
    topic: 'stats',
    userAgent: 'shellbar',
    user_agent: 'internal',
    scopes: null,
    expires_at: '0001-01-01T00:00:00Z',
  })
})
