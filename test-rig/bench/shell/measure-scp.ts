import { runProgram } from '../../src/shell/run-program.ts'
import { writeRandomFile } from '../../src/shell/random-file.ts'
import { ShellRelayProgram, startClient, startHost } from '../../src/shell/shell-programs.ts'
import { SshLab, type SshRoute } from '../../src/shell/ssh-lab.ts'
import { until } from '../../src/rig/until.ts'
import { median } from '../statistics.ts'

export interface ScpFigures {
  readonly bytes: number
  readonly tunnelMbPerSec: number
  readonly directMbPerSec: number
  readonly ratio: number
}

/** `scp` of a file to a real sshd: through the tunnel, and to its port, in turns. */
export async function measureScp({
  bytes,
  repetitions,
}: {
  readonly bytes: number
  readonly repetitions: number
}): Promise<ScpFigures> {
  await using lab = await SshLab.start()
  await using relay = await ShellRelayProgram.start()
  await using _host = startHost({ relay, id: 'bench', sshdPort: lab.sshdPort })
  await using client = await startClient({ relay, id: 'bench' })
  const tunnel: SshRoute = { kind: 'port', port: client.port }
  const direct: SshRoute = { kind: 'port', port: lab.sshdPort }
  await until('a login works', async () => (await lab.ssh(tunnel, 'true')).code === 0, { withinMs: 60_000 })
  const source = lab.path('source')
  await writeRandomFile(source, bytes)
  const rate = async (route: SshRoute): Promise<number> => {
    const { code, tookMs, stderr } = await runProgram('scp', [
      ...lab.options(route),
      source,
      `${lab.target(route)}:${lab.path('copy')}`,
    ])
    if (code !== 0) throw new Error(`scp ended with ${String(code)}: ${stderr}`)
    return bytes / 1000 / tookMs
  }
  const [through, past]: [number[], number[]] = [[], []]
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    through.push(await rate(tunnel))
    past.push(await rate(direct))
  }
  const ratios = through.map((one, index) => one / (past[index] ?? Number.NaN))
  return {
    bytes,
    tunnelMbPerSec: median(through),
    directMbPerSec: median(past),
    ratio: median(ratios),
  }
}
