import { childEnvironment } from './child-environment.ts'
import { OwnedProcess } from './owned-process.ts'
import type { Part } from './part.ts'
import { programPaths } from './program-paths.ts'
import { untilAnswers } from './until-answers.ts'

export interface RelayPartOptions {
  /** Where it listens: an address of this machine. */
  readonly host: string
  /** By what name clients reach it. */
  readonly name: string
  readonly accessPort: number
  readonly relayPort: number
  readonly secretFile: string
  /** Origins of pages that may use it; `*` for all. */
  readonly corsOrigins: readonly string[]
}

/** What tokens must name, and where clients POST them. */
export function accessAddress({ name, accessPort }: Pick<RelayPartOptions, 'name' | 'accessPort'>): string {
  return `http://${name}:${accessPort}`
}

/** The relay of the laboratory: `relay serve`. */
export function relayPart(options: RelayPartOptions): Part {
  return {
    name: 'relay',
    start: () =>
      OwnedProcess.start({
        name: 'relay',
        command: process.execPath,
        args: [programPaths.relay, 'serve'],
        env: childEnvironment(process.env, {
          RELAY_AUDIENCE: accessAddress(options),
          RELAY_URL: `ws://${options.name}:${options.relayPort}`,
          RELAY_SECRET_FILES: options.secretFile,
          RELAY_ALLOW_NO_BOOKING_ID: 'true',
          RELAY_PORT_ACCESS: String(options.accessPort),
          RELAY_PORT_RELAY: String(options.relayPort),
          RELAY_ACCESS_HOST: options.host,
          RELAY_RELAY_HOST: options.host,
          RELAY_ACCESS_CORS_ORIGINS: options.corsOrigins.join(','),
          RELAY_METRICS_PORT: '0',
        }),
      }),
    ready: (signal) => untilAnswers(`${accessAddress(options)}/readyz`, signal),
  }
}
