import { childEnvironment } from './child-environment.ts'
import { OwnedProcess } from './owned-process.ts'
import type { Part } from './part.ts'
import { programPaths } from './program-paths.ts'
import { untilAnswers } from './until-answers.ts'

export interface ShellRelayPartOptions {
  readonly accessPort: number
  readonly relayPort: number
  readonly secretFile: string
}

/** What tokens of the shell must name, and where hosts and clients POST them. */
export function shellAccessAddress({ accessPort }: Pick<ShellRelayPartOptions, 'accessPort'>): string {
  return `http://127.0.0.1:${accessPort}`
}

/** The shell relay of the laboratory, `shell serve`: for this machine alone, whoever else the page is open to. */
export function shellRelayPart(options: ShellRelayPartOptions): Part {
  return {
    name: 'shell relay',
    start: () =>
      OwnedProcess.start({
        name: 'shell relay',
        command: process.execPath,
        args: [programPaths.shell, 'serve'],
        env: childEnvironment(process.env, {
          SHELLRELAY_AUDIENCE: shellAccessAddress(options),
          SHELLRELAY_URL: `ws://127.0.0.1:${options.relayPort}`,
          SHELLRELAY_SECRET_FILES: options.secretFile,
          SHELLRELAY_ACCESS_PORT: String(options.accessPort),
          SHELLRELAY_RELAY_PORT: String(options.relayPort),
          SHELLRELAY_ACCESS_HOST: '127.0.0.1',
          SHELLRELAY_RELAY_HOST: '127.0.0.1',
          SHELLRELAY_METRICS_PORT: '0',
        }),
      }),
    ready: (signal) => untilAnswers(`${shellAccessAddress(options)}/readyz`, signal),
  }
}
