import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settingsTable } from '@relay/common/config/document-config'
import { type AccessAnswer, refuse } from '@relay/common/server/access/access-answer'
import { type PlainAnswer, plainAnswers } from '@relay/common/server/websocket/plain-answer'
import { expect, test } from 'vitest'
import { freePort } from '../../common/test/support/free-port.ts'
import { connectSpec, listenSpec } from '../src/client/client-config.ts'
import { clientExit } from '../src/client/client-fault.ts'
import { hostSpec } from '../src/host/host-config.ts'
import {
  accessRefusals,
  refuseHostKeys,
  refuseMore,
  refuseToken,
  refuseUse,
  tokenRefusals,
} from '../src/relay/access/shell-answer.ts'
import { shellRelaySpec } from '../src/relay/config.ts'
import { refusalAnswers } from '../src/relay/exchange/admission.ts'
import { closeCodes } from '../src/relay/exchange/close-codes.ts'
import { refusals } from '../src/relay/exchange/refusal.ts'
import { shellAdmin } from '../src/shell-admin.ts'
import { jumpProgram } from '../src/jump-program.ts'
import { shellProgram } from '../src/shell-program.ts'
import { RunningShellRelay } from './support/running-shell-relay.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const readmePath = join(folder, 'README.md')
/** `UPDATE_README=1 vitest run shell/test/readme` writes the tables instead of comparing them. */
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
  ['settings', shellRelaySpec],
  ['admin-settings', shellAdmin.spec],
  ['host-settings', hostSpec('shell')],
  ['connect-settings', connectSpec],
  ['client-settings', listenSpec],
] as const)('the table of %s is that of the schema', async (name, spec) => {
  await expectSection(name, settingsTable(spec))
})

test('every refusal of the access API is listed, with status and bodies', async () => {
  const common: readonly AccessAnswer[] = [
    refuse.badAddress(),
    refuse.notFound('/x'),
    refuse.methodNotAllowed('GET', ['POST']),
    refuse.unauthenticated(),
    refuseToken('expired'),
    refuse.wrongAudience(['https://x'], 'https://y'),
    refuse.badContentType('///'),
    refuse.unsupportedMediaType('text/plain'),
    refuse.notAcceptable(),
    refuse.bodyTooLarge(65_536),
    refuse.badBody(),
    refuse.missingAdminScope(),
    refuse.missingAdminScopeToDeny(),
    refuse.missingStatsScope(),
    refuse.missingParameter('bid'),
    refuse.notAnInteger('exp', 'abc'),
    refuse.denialInThePast(5n),
    refuse.allowanceInThePast(),
    refuse.denyListFull(),
    refuse.tooManyRequests(1000),
    refuse.draining(),
    refuse.internal(),
    refuseHostKeys(),
    ...refusals.filter((refusal) => refusal !== 'client-gone').map(refuseMore),
  ]
  const byStyle = tokenRefusals.map((refusal) => ({
    shell: refuseUse(refusal, 'shell'),
    connect: refuseUse(refusal, 'connect'),
  }))
  const named = [...common, ...byStyle.map(({ shell }) => shell)].map(({ refusal }) => refusal)
  expect(new Set(named)).toEqual(new Set(accessRefusals))

  const code = (text: string): string => `\`${text.trimEnd()}\``
  const rows = [
    ...byStyle.map(({ shell, connect }) => [
      code(shell.refusal ?? ''),
      String(shell.status),
      `${code(shell.body)}<br>${code(connect.body)}`,
    ]),
    ...common.map(({ refusal = '', status, body }) => [code(refusal), String(status), code(body)]),
  ]

  await expectSection('refusals', table(['name', 'status', 'body'], rows))
})

test('every answer of the websocket port is listed', async () => {
  const answers: readonly PlainAnswer[] = [
    ...new Set([...Object.values(plainAnswers), ...Object.values(refusalAnswers)]),
  ]
  const rows = answers.map(({ status, text, refusal }) => [
    String(status),
    `\`${text}\``,
    refusal === undefined ? '' : `\`${refusal}\``,
  ])
  await expectSection(
    'plain-answers',
    table(['status', 'text', 'name in `shell_relay_refused_upgrades_total`'], rows),
  )
})

test('every exit code of the client is listed', async () => {
  const meanings: Readonly<Record<keyof typeof clientExit, string>> = {
    hostOffline: 'the host is not connected, or says nothing, for as long as `--wait`',
    tokenRefused: 'the token has expired or is refused, or the booking was cancelled',
    relayUnreachable: 'the relay, or a proxy on the way, cannot be reached for as long as `--wait`',
    hostRefused: 'the host cannot reach its sshd, or takes no more sessions; it says so in its own words',
    sessionLost: 'the session broke and could not be resumed',
  }
  const rows = Object.entries(clientExit).map(([name, code]) => [
    String(code),
    meanings[name as keyof typeof clientExit],
  ])

  await expectSection('client-exits', table(['exit code', 'meaning'], rows))
})

test('every close code is listed', async () => {
  const rows = Object.entries(closeCodes).map(([cause, { code, reason }]) => [
    String(code),
    `\`${reason}\``,
    `\`${cause}\``,
  ])
  await expectSection(
    'close-codes',
    table(['code', 'reason', 'name in `shell_relay_closed_connections_total`'], rows),
  )
})

test('every metric is listed', async () => {
  await using running = await RunningShellRelay.start({
    settings: { METRICS_PORT: String(await freePort()) },
  })
  const text = await (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text()
  const rows = [...text.matchAll(/^# HELP (shell_relay_\S+) (.*)$/gm)]
    .filter(([, name = '']) => !/^shell_relay_(process|nodejs)_/.test(name))
    .map(([, name = '', help = '']) => [`\`${name}\``, help])

  await expectSection('metrics', table(['name', 'meaning'], rows))
})

test('every command is named', async () => {
  const readme = await readFile(readmePath, 'utf8')
  const [, commands = ''] = readme.split('## Commands')
  const [rows = ''] = commands.split('\n## ', 1)

  for (const { name, commands: of } of [shellProgram, jumpProgram])
    for (const { usage } of of) expect(rows).toContain(`\`${name} ${usage.split(' ')[0]}`)
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

  expect(listed).toEqual(new Set(thrown))
})
