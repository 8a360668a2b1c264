import { createServer } from 'node:net'
import { aborted } from '@relay/common/clock'
import type { Command, Process } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { exitCode, UsageError } from '@relay/common/errors'
import { listen } from '@relay/common/listen'
import { createLog, type Log } from '@relay/common/log'
import { favourThroughput } from '@relay/common/tunnel/favour-throughput'
import { endAtTakenPort } from '../taken-port.ts'
import { DirectPipe, type PortPipe } from './direct-pipe.ts'
import {
  ignoredPipeSettings,
  loadPipeConfig,
  type PipeConfig,
  pipeSpec,
  type PipeWay,
  pipeWays,
} from './pipe-config.ts'

/** `jump pipe`: carries connections between two ports of one machine, to find out where bytes are lost or time goes. */
export const pipeCommand: Command = {
  usage: 'pipe <way>',
  description: 'join two ports of this machine, to try how connections are carried',
  positionals: {
    way: {
      type: 'string',
      describe:
        'copy: from socket to socket; develop: through relay, host and client of this program; original: the same as with old programs, but without the losses of v0.2.2',
    },
  },
  options: commandLineOptions(pipeSpec('copy')),
  run: async (args, process) => {
    const way = pipeWays.find((known) => known === args['way'])
    if (way === undefined) throw new UsageError(`a way to carry is needed: ${pipeWays.join(', ')}`)
    try {
      await runPipe(way, loadPipeConfig(way, args, process), process)
      return exitCode.ok
    } catch (error) {
      return endAtTakenPort('jump', error, process)
    }
  },
}

async function runPipe(way: PipeWay, config: PipeConfig, { environment, signal }: Process): Promise<void> {
  const log = createLog({ program: 'shell-pipe', level: config.logLevel, journal: { environment } })
  for (const ignored of ignoredPipeSettings(environment))
    log.warn({ setting: ignored }, 'a setting means nothing here')
  favourThroughput()
  const pipe = await openPipe(way, config, log)
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    pipe.accept(socket),
  )
  try {
    const what = 'the port that is piped'
    const port = await listen(server, { port: config.portListen, host: '127.0.0.1', what })
    server.on('error', (error) => log.warn({ error }, 'a connection could not be accepted'))
    log.info({ way, port, target: config.portTarget }, 'listening')
    await aborted(signal)
  } finally {
    server.close()
    await pipe.stop()
  }
}

async function openPipe(way: PipeWay, { portTarget: targetPort }: PipeConfig, log: Log): Promise<PortPipe> {
  if (way === 'copy') return new DirectPipe(targetPort)
  // Only here: the other way needs none of it.
  const { TunnelPipe } = await import('./tunnel-pipe.ts')
  return await TunnelPipe.start({ targetPort, isPlain: way === 'original' }, log)
}
