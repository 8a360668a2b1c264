import type { Environment } from '@relay/common/proxy'
import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import type { AgentConfig } from '../config.ts'
import { isStream } from '../feeds/feed-hub.ts'
import { agentVersion } from '../version.ts'
import { camerasCheck } from './checks/cameras.ts'
import { clockCheck } from './checks/clock.ts'
import { diskCheck } from './checks/disk.ts'
import { encodersCheck } from './checks/encoders.ts'
import { dnsCheck, proxyCheck } from './checks/network.ts'
import { powerCheck } from './checks/power.ts'
import { relayCheck } from './checks/relay.ts'
import { serialPortsCheck } from './checks/serial-ports.ts'
import { shellHostCheck } from './checks/shell-host.ts'
import { systemCheck } from './checks/system.ts'
import { temperatureCheck } from './checks/temperature.ts'
import { type TokenUse, tokensCheck } from './checks/tokens.ts'
import type { Machine } from './machine.ts'
import { judgeConfig, type OpenedConfig } from './open-config.ts'
import { isSecretName, Redactor } from './redact.ts'
import { type Check, type CheckResult, runChecks } from './run-checks.ts'
import { gatherService } from './service.ts'
import { type Level, levels, unknown, type Verdict } from './verdict.ts'

export interface DoctorReport {
  readonly version: string
  /** ISO 8601, by the clock of the machine, which may be wrong. */
  readonly at: string
  readonly configFile: string
  readonly counts: Readonly<Record<Level, number>>
  readonly areas: readonly CheckResult[]
}

export interface ExamineOptions {
  readonly configFile: string
  readonly opened: OpenedConfig
  readonly machine: Machine
  readonly signal: AbortSignal
  readonly onProgress?: (running: readonly string[]) => void
}

/** Commands and questions within a check end sooner; this is for what hangs nevertheless. */
const checkWithinMs = 15_000

/** Looks at everything and says how it stands. No text of the report holds a secret. */
export async function examine(options: ExamineOptions): Promise<DoctorReport> {
  const { configFile, opened, machine, signal, onProgress } = options
  const redactor = await redactorFor(opened.config, machine)
  const areas = await runChecks(checksFor(options), {
    timeoutMs: checkWithinMs,
    clock: machine.clock,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  const all: readonly CheckResult[] = [
    {
      area: 'configuration',
      tookMs: 0,
      verdicts: [...judgeConfig(opened, configFile), ...judgeRights(machine.userId)],
    },
    ...areas,
  ]
  const counts = Object.fromEntries(
    levels.map((level) => [
      level,
      all.flatMap(({ verdicts }) => verdicts).filter((verdict) => verdict.level === level).length,
    ]),
  ) as Record<Level, number>
  return redactor.value({
    version: agentVersion,
    at: new Date(machine.clock.nowMs()).toISOString(),
    configFile,
    counts,
    areas: all,
  }) as DoctorReport
}

function judgeRights(userId: number): readonly Verdict[] {
  if (userId === 0) return []
  return [
    unknown('who else uses a device, and files of others, only root can see', 'run the doctor with sudo'),
  ]
}

function checksFor({ opened, machine }: ExamineOptions): readonly Check[] {
  const { config } = opened
  const accesses = accessesOf(config)
  const dialled = [...accesses, config.shell.session].filter((address) => URL.canParse(address))
  const { environment } = machine
  // Several areas ask for it, and it is the same.
  let asked: ReturnType<typeof gatherService> | undefined
  const service = (): ReturnType<typeof gatherService> => (asked ??= gatherService(machine))
  return [
    systemCheck({ machine, service }),
    clockCheck(machine),
    dnsCheck(dialled, { environment, monotonicMs: () => machine.clock.monotonicMs() }),
    proxyCheck(async () => {
      const { properties, environment: unitEnvironment } = await service()
      const isInstalled = properties?.get('LoadState') === 'loaded'
      return { addresses: dialled, environment, unitEnvironment: isInstalled ? unitEnvironment : undefined }
    }),
    relayCheck(accesses, machine),
    tokensCheck(tokenUses(config), { machine, service }),
    camerasCheck(config.cameras, { machine, service, ffmpeg: config.video.ffmpeg }),
    encodersCheck(config.cameras, { machine, ffmpeg: config.video.ffmpeg }),
    serialPortsCheck(portsOf(config), { machine, service }),
    ...(config.shell.session === '' ? [] : [shellHostCheck(config.shell, machine)]),
    diskCheck(config.recordings, { machine, service }),
    temperatureCheck(machine),
    powerCheck(machine),
  ]
}

/** More relays than that on one board are a mistake. */
const maxRelays = 16

function accessesOf(config: AgentConfig): readonly string[] {
  const used = config.topics.map(({ access }) => (access === '' ? config.relay.access : access))
  const all = new Set([config.relay.access, ...used].filter((access) => URL.canParse(access)))
  return [...all].slice(0, maxRelays)
}

function portsOf(config: AgentConfig): readonly { readonly name: string; readonly device: string }[] {
  // An instrument behind TCP has no tty to look at.
  return config.instruments.filter(({ device }) => device.startsWith('/'))
}

/** What each topic, and the shell host, needs of its token. Pure. */
export function tokenUses(config: AgentConfig): readonly TokenUse[] {
  const cameras = new Set(config.cameras.map(({ feed }) => feed))
  const instruments = new Set(instrumentFeeds(config))
  const needsOf = (topic: string, feed: string): TokenUse['needs'] => {
    if (instruments.has(feed)) return ['read', 'write']
    const isSentTo = cameras.has(feed) || isStream(feed) || topic === config.heartbeat.topic
    return isSentTo ? ['write'] : []
  }
  return [
    ...config.topics.map(({ topic, feed, tokenFile, access }) => ({
      topic,
      tokenFile,
      access: access === '' ? config.relay.access : access,
      needs: needsOf(topic, feed),
    })),
    ...shellTokenUses(config.shell),
  ]
}

function shellTokenUses({ session, tokenFile }: AgentConfig['shell']): readonly TokenUse[] {
  const parsed = parseShellAccess(session)
  if (typeof parsed === 'string') return []
  const access = parsed.shown.replace(/\/(?:api\/v1\/connect|shell)\/[^/]+\/?$/, '')
  return [{ topic: parsed.id, tokenFile, access, needs: ['host'], session }]
}

function instrumentFeeds(config: AgentConfig): readonly string[] {
  return [...config.instruments, ...config.mqttInstruments].map(({ feed }) => feed)
}

/** Knows the secrets of this machine that the agent uses: tokens, passwords, and what the environment holds. */
export async function redactorFor(config: AgentConfig, machine: Machine): Promise<Redactor> {
  const files = [
    ...config.topics.map(({ tokenFile }) => tokenFile),
    ...config.mqttInstruments.map(({ passwordFile }) => passwordFile),
    config.shell.tokenFile,
    config.shell.hostKeys.deviceKeyFile,
  ].filter((path) => path !== '')
  const texts = await Promise.all(files.map((path) => machine.readText(path)))
  return new Redactor([...texts.filter((text) => text !== undefined), ...secretsOf(machine.environment)])
}

/** Directories of every shell, whose names end as those of passwords do. */
const workingDirectories: ReadonlySet<string> = new Set(['PWD', 'OLDPWD'])

function secretsOf(environment: Environment): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isSecretName(name) && !workingDirectories.has(name) ? [value] : [],
  )
}
