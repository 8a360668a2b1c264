import { readdirSync, readlinkSync } from 'node:fs'
import { type Clock, systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { agentConfigSpec } from '../src/config.ts'
import { FeedHub } from '../src/feeds/feed-hub.ts'
import { Instrument } from '../src/instrument/instrument.ts'
import { instrumentOptions } from '../src/instrument/instrument-options.ts'
import type { LinkSource } from '../src/instrument/link.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'

export interface RunInstrumentOptions {
  readonly device: string
  /** More of the configuration, as YAML in one line. */
  readonly settings?: string
  readonly clock?: Clock
  readonly source?: LinkSource
}

export type RunningInstrument = ReturnType<typeof runInstrument>

/** Runs an instrument as the configuration describes it, with a feed that a browser listens to. */
export function runInstrument({ device, settings = '', clock = systemClock, source }: RunInstrumentOptions) {
  const config = loadConfig(agentConfigSpec, {
    file: {
      path: 'agent.yaml',
      text: `instruments: [{ name: board, device: "${device}"${settings === '' ? '' : `, ${settings}`} }]`,
    },
  })
  const [instrumentConfig] = config.instruments
  if (instrumentConfig === undefined) throw new Error('no instrument')
  const hub = new FeedHub()
  const heard: string[] = []
  const browser = {
    name: 'browser',
    deliver: ({ data, binary }: { readonly data: Buffer; readonly binary: boolean }) =>
      void heard.push(`${binary ? 'binary' : 'text'} ${data.toString('latin1')}`),
  }
  hub.join('data', browser)
  const { log, lines } = capturedLog()
  const instrument = new Instrument(instrumentOptions(instrumentConfig), {
    hub,
    clock,
    random: Math.random,
    log,
    ...(source === undefined ? {} : { source }),
  })
  const controller = new AbortController()
  const running = instrument.run(controller.signal)
  const show = (): unknown => ({ status: instrument.status(), log: lines.slice(-5) })
  return {
    instrument,
    heard,
    lines,
    show,
    stop: async (): Promise<void> => {
      controller.abort()
      await running
    },
    command: (text: string) => hub.publish('data', { data: Buffer.from(text), binary: false }, browser),
    isOpen: () => eventually(() => instrument.status().state === 'open', { show }),
    fails: (code: string) => eventually(() => instrument.status().fault?.code === code, { show }),
  }
}

/** What this process has open, by the names of the files; those that match `pattern`. */
export function openFiles(pattern: RegExp): readonly string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    })
    .filter((file) => pattern.test(file))
}
