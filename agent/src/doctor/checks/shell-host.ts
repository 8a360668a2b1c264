import type { Socket } from 'node:net'
import { describeError } from '@relay/common/errors'
import { parseDeviceKey } from '@relay/common/shell-host/device-key'
import { dialSshd } from '@relay/common/shell-host/dial-sshd'
import { hostAndPort } from '@relay/common/shell-host/host-and-port'
import { parseHostKey } from '@relay/common/shell-host/host-key'
import type { AgentConfig } from '../../config.ts'
import type { Machine } from '../machine.ts'
import { probeRelay, type RelayAnswer } from '../probe-relay.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'
import { judgeRelay } from './relay.ts'

type ShellConfig = AgentConfig['shell']

/** What came of asking sshd. */
export type SshdAnswer =
  | { readonly kind: 'spoke'; readonly firstLine: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'failed'; readonly why: string }

export interface ShellHostFacts {
  readonly config: ShellConfig
  readonly relay: RelayAnswer
  readonly sshd: SshdAnswer
  /** Files `ssh_host_*_key.pub`, whether they hold a key. */
  readonly keyFiles: readonly { readonly path: string; readonly isKey: boolean }[]
  /** Undefined where none is configured; '' where it is right. */
  readonly deviceKeyFlaw: string | undefined
  /** Everybody on the machine may read the device key. */
  readonly isDeviceKeyOpen: boolean
}

const relayWithinMs = 9_000
/** sshd looks names up before it speaks, where it is told to. */
const bannerWithinMs = 5_000

/** Whether people can reach this machine by ssh; its token stands among the tokens. */
export function shellHostCheck(config: ShellConfig, machine: Machine): Check {
  return {
    area: 'shell host',
    look: async (signal) => {
      const { environment, clock } = machine
      const [relay, sshd, keyFiles, device] = await Promise.all([
        probeRelay({
          url: config.session,
          environment,
          timeoutMs: relayWithinMs,
          signal,
          nowMs: () => clock.nowMs(),
        }),
        askSshd(config, signal),
        keyFilesOf(config.hostKeys.directory, machine),
        deviceKeyOf(config.hostKeys.deviceKeyFile, machine),
      ])
      return judgeShellHost({ config, relay, sshd, keyFiles, ...device }, clock.nowMs())
    },
  }
}

/** Pure. */
export function judgeShellHost(facts: ShellHostFacts, nowMs: number): readonly Verdict[] {
  const { config, relay } = facts
  return [
    ...judgeRelay({ access: config.session, answer: relay }, nowMs).map(inWordsOfShell),
    judgeSshd(config, facts.sshd),
    ...judgeKeys(facts),
    ...judgeDeviceKey(facts),
  ]
}

/** The relay of topics is told of in the same way; only its setting is another one. */
function inWordsOfShell(verdict: Verdict): Verdict {
  const text = (words: string): string =>
    words
      .replaceAll(
        'relay.access: it is what stands before /session/…',
        'shell.session: it ends in /shell/<id>',
      )
      .replaceAll('relay.access', 'shell.session')
      .replaceAll('tokens and pictures can be read', 'the token can be read, though not what ssh carries,')
  const { what, advice } = verdict
  return { ...verdict, what: text(what), ...(advice === undefined ? {} : { advice: text(advice) }) }
}

function judgeSshd({ sshd }: ShellConfig, answer: SshdAnswer): Verdict {
  const address = hostAndPort(sshd)
  if (answer.kind === 'failed')
    return problem(
      answer.why,
      '"systemctl enable --now ssh" starts it; another port belongs into shell.sshd.port',
    )
  if (answer.kind === 'silent')
    return warning(
      `at ${address} somebody takes connections and says nothing`,
      'sshd may have too much to do, or refuse us (MaxStartups): see "journalctl -u ssh"',
    )
  return answer.firstLine.startsWith('SSH-')
    ? ok(`sshd answers at ${address} (${answer.firstLine})`)
    : problem(
        `what answers at ${address} is no sshd: ${JSON.stringify(answer.firstLine)}`,
        'correct shell.sshd in the configuration',
      )
}

function judgeKeys({ config, keyFiles }: ShellHostFacts): readonly Verdict[] {
  const { directory } = config.hostKeys
  if (directory === '')
    return [
      unknown('keys of sshd are not published: clients cannot check whom they reach', 'set shell.hostKeys'),
    ]
  const good = keyFiles.filter(({ isKey }) => isKey)
  const bad = keyFiles.filter(({ isKey }) => !isKey)
  return [
    good.length === 0
      ? warning(
          `no key of sshd can be read in ${directory}, so clients cannot check whom they reach`,
          '"ssh-keygen -A" makes them; they must be readable for everybody, as they usually are',
        )
      : ok(`${good.length} keys of sshd are published`),
    ...bad.map(({ path }) =>
      warning(`${path} is no public key of ssh, or cannot be read`, `"ls -l ${path}"`),
    ),
  ]
}

function judgeDeviceKey({ config, deviceKeyFlaw, isDeviceKeyOpen }: ShellHostFacts): readonly Verdict[] {
  const { deviceKeyFile: path } = config.hostKeys
  if (deviceKeyFlaw === undefined) return []
  if (deviceKeyFlaw !== '')
    return [problem(`${deviceKeyFlaw}: keys of sshd go out unsigned`, 'write a private JWK with "kid" there')]
  return isDeviceKeyOpen
    ? [warning(`everybody on this machine may read the device key ${path}`, `"chmod 600 ${path}"`)]
    : [ok(`the device key ${path} signs the keys of sshd`)]
}

async function askSshd({ sshd }: ShellConfig, signal: AbortSignal): Promise<SshdAnswer> {
  try {
    const socket = await dialSshd({ ...sshd, withinMs: sshd.within, signal })
    return await firstLineOf(socket, signal)
  } catch (error) {
    return { kind: 'failed', why: describeError(error) }
  }
}

/** At most 255 bytes (RFC 4253 4.2). */
async function firstLineOf(socket: Socket, signal: AbortSignal): Promise<SshdAnswer> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(bannerWithinMs)])
  return await new Promise((resolve) => {
    const done = (answer: SshdAnswer): void => {
      socket.destroy()
      resolve(answer)
    }
    let text = ''
    socket.on('data', (data) => {
      text += data.toString('latin1')
      const [line = ''] = text.split(/\r?\n/)
      if (text.includes('\n') || text.length > 255)
        done({ kind: 'spoke', firstLine: line.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100) })
    })
    socket.on('close', () => done({ kind: 'silent' }))
    deadline.addEventListener('abort', () => done({ kind: 'silent' }), { once: true })
    if (deadline.aborted) done({ kind: 'silent' })
  })
}

async function keyFilesOf(directory: string, machine: Machine): Promise<ShellHostFacts['keyFiles']> {
  if (directory === '') return []
  const names = (await machine.list(directory)).filter((name) => /^ssh_host_.*_key\.pub$/.test(name))
  return await Promise.all(
    names.slice(0, 16).map(async (name) => {
      const path = `${directory.replace(/\/+$/, '')}/${name}`
      return { path, isKey: parseHostKey((await machine.readText(path)) ?? '') !== undefined }
    }),
  )
}

async function deviceKeyOf(
  path: string,
  machine: Machine,
): Promise<Pick<ShellHostFacts, 'deviceKeyFlaw' | 'isDeviceKeyOpen'>> {
  if (path === '') return { deviceKeyFlaw: undefined, isDeviceKeyOpen: false }
  const [text, file] = await Promise.all([machine.readText(path), machine.stat(path)])
  if (text === undefined)
    return { deviceKeyFlaw: `the device key ${path} cannot be read by you`, isDeviceKeyOpen: false }
  const flaw = await parseDeviceKey(text, path).then(() => '', describeError)
  return { deviceKeyFlaw: flaw, isDeviceKeyOpen: ((file?.mode ?? 0) & 0o004) !== 0 }
}
