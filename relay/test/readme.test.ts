import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settingsTable } from '@relay/common/config/document-config'
import { type AccessAnswer, refuse } from '@relay/common/server/access/access-answer'
import { type PlainAnswer, plainAnswers } from '@relay/common/server/websocket/plain-answer'
import { expect, test } from 'vitest'
import { accessRefusals, refuseSession } from '../src/access/session-answer.ts'
import { relayAdmin } from '../src/client/admin-tool.ts'
import { catSpec } from '../src/client/cat-config.ts'
import { relaySpec } from '../src/config.ts'
import { tooManyOfSubject } from '../src/exchange/admission.ts'
import { closeReasons } from '../src/exchange/close-reasons.ts'
import { freePort } from '../../common/test/support/free-port.ts'
import { RunningRelay } from './support/running-relay.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const readmePath = join(folder, 'README.md')
/** `UPDATE_README=1 vitest run relay/test/readme` writes the tables instead of comparing them. */
const isUpdate = process.env['UPDATE_README'] === '1'

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

async function expectSection(name: string, content: string): Promise<void> {
  const readme = await readFile(readmePath, 'utf8')
  const [before = '', rest = ''] = readme.split(`<!-- ${name} -->\n`)
  const after = rest.slice(rest.indexOf('<!-- end -->'))
  const wanted = `${before}<!-- ${name} -->\n${content}\n${after}`
  if (isUpdate) await writeFile(readmePath, wanted)
  expect(isUpdate ? wanted : readme).toBe(wanted)
}

test.each([
  ['settings', relaySpec],
  ['admin-settings', relayAdmin.spec],
  ['cat-settings', catSpec],
])('the table of %s is that of the schema', async (name, spec) => {
  await expectSection(name, settingsTable(spec))
})

test('every close code is listed', async () => {
  const rows = Object.entries(closeReasons).map(([cause, { code, reason }]) => [
    String(code),
    `\`${reason}\``,
    `\`${cause}\``,
  ])
  await expectSection(
    'close-codes',
    table(['code', 'reason', 'name in `relay_closed_connections_total`'], rows),
  )
})

test('every refusal of the access API is listed, with status and body', async () => {
  const answers: readonly AccessAnswer[] = [
    refuse.badAddress(),
    refuse.notFound('/x'),
    refuse.methodNotAllowed('GET', ['POST']),
    refuse.unauthenticated(),
    refuse.tokenInvalid(),
    refuse.wrongAudience(['https://x'], 'https://y'),
    refuse.badContentType('///'),
    refuse.unsupportedMediaType('text/plain'),
    refuse.notAcceptable(),
    refuse.bodyTooLarge(65_536),
    refuse.badBody(),
    refuseSession.missingClaims(),
    refuseSession.wrongTopic(),
    refuseSession.wrongConnectionType(),
    refuseSession.noUsableScope(),
    refuseSession.missingBookingId(),
    refuseSession.bookingDenied(),
    refuse.missingAdminScope(),
    refuse.missingAdminScopeToDeny(),
    refuse.missingStatsScope(),
    refuse.missingParameter('bid'),
    refuse.notAnInteger('exp', 'abc'),
    refuse.denialInThePast(5n),
    refuse.allowanceInThePast(),
    refuse.denyListFull(),
    refuse.tooManyRequests(1000),
    refuse.tooManyConnections(),
    refuse.relayFull(),
    refuse.draining(),
    refuse.internal(),
  ]
  expect(answers).toHaveLength(Object.keys({ ...refuse, ...refuseSession }).length)
  expect(new Set(answers.map(({ refusal }) => refusal))).toEqual(new Set(accessRefusals))

  const rows = answers.map(({ refusal, status, body }) => [
    `\`${refusal}\``,
    String(status),
    `\`${body.trimEnd()}\``,
  ])

  await expectSection('refusals', table(['name', 'status', 'body'], rows))
})

test('every answer of the websocket port is listed', async () => {
  const answers: readonly PlainAnswer[] = [...Object.values(plainAnswers), tooManyOfSubject]
  const rows = answers.map((answer) => [
    String(answer.status),
    `\`${answer.text}\``,
    answer.refusal !== undefined ? `\`${answer.refusal}\`` : '',
  ])
  await expectSection(
    'plain-answers',
    table(['status', 'text', 'name in `relay_refused_upgrades_total`'], rows),
  )
})

test('every metric is listed', async () => {
  await using running = await RunningRelay.start({ settings: { METRICS_PORT: String(await freePort()) } })
  const text = await (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text()
  const rows = [...text.matchAll(/^# HELP (relay_\S+) (.*)$/gm)]
    .filter(([, name = '']) => !/^relay_(process|nodejs)_/.test(name))
    .map(([, name = '', help = '']) => [`\`${name}\``, help])

  await expectSection('metrics', table(['name', 'meaning'], rows))
})

test('every error code of the source is listed, and none that is not there', async () => {
  const readme = await readFile(readmePath, 'utf8')
  const listed = new Set(
    [...readme.slice(readme.indexOf('## Error codes')).matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code),
  )
  const files = (await readdir(join(folder, 'src'), { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )
  const sources = await Promise.all(files.map((name) => readFile(join(folder, 'src', name), 'utf8')))
  const thrown = sources.flatMap((source) =>
    [...source.matchAll(/new \w+Error\(\s*'([A-Z_]+)'/g)].map(([, code]) => code),
  )
  /** Thrown by what is used from common. */
  const common = [
    'ADMIN_TOKEN_MISSING',
    'CONFIG_INVALID',
    'CONFIG_UNREADABLE',
    'KEY_DIRECTORY_UNREADABLE',
    'LISTEN_FAILED',
    'PORT_FORBIDDEN',
    'PORT_IN_USE',
    'RELAY_REFUSED',
    'RELAY_UNREACHABLE',
    'SECRET_EMPTY',
    'SECRET_FILE_UNREADABLE',
    'SOCKETS_WRONG',
    'SOCKET_NAME_UNKNOWN',
    'SOCKET_TWICE',
    'USAGE',
  ]

  expect(listed).toEqual(new Set([...thrown, ...common]))
})
