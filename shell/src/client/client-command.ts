import { createServer, type Server, type Socket } from 'node:net'
import { aborted, systemClock } from '@relay/common/clock'
import type { Command, Process } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { listen } from '@relay/common/listen'
import { createLog } from '@relay/common/log'
import { favourThroughput } from '@relay/common/tunnel/favour-throughput'
import { endAtTakenPort } from '../taken-port.ts'
import {
  type ClientGeneration,
  ignoredClientSettings,
  type ListenConfig,
  listenSpec,
  loadListenConfig,
  missingClientVariable,
} from './client-config.ts'
import { LocalPort } from './local-port.ts'
import { findTarget } from './session-target.ts'

/** `shell client` and `jump client`: a local port, each connection to which is a session with the host. */
export function clientCommand(generation: ClientGeneration): Command {
  return {
    usage: 'client [id]',
    description: 'listen on a local port and carry each connection to the sshd of an experiment',
    positionals: { id: { type: 'string', describe: 'the experiment, such as pend00' } },
    options: commandLineOptions(listenSpec),
    run: async (args, process) => {
      const missing = missingClientVariable(generation, args, process)
      if (missing !== undefined) {
        process.stdout.write(`${missing} not set\n`)
        return exitCode.failed
      }
      const config = loadListenConfig(args, process)
      favourThroughput()
      const id = typeof args['id'] === 'string' && args['id'] !== '' ? args['id'] : undefined
      try {
        await runClient(id, config, process)
        return exitCode.ok
      } catch (error) {
        // V0.2.2 stayed there and did nothing: no code of its own to keep.
        if (generation === 'shell') throw error
        return endAtTakenPort('jump', error, process)
      }
    },
  }
}

async function runClient(id: string | undefined, config: ListenConfig, process: Process): Promise<void> {
  const log = createLog({
    program: 'shell-client',
    level: config.logLevel,
    journal: { environment: process.environment },
  })
  for (const ignored of ignoredClientSettings(process.environment))
    log.warn({ setting: ignored }, 'a setting means nothing here')
  // A token file that is replaced counts for the next session.
  const find = (): ReturnType<typeof findTarget> =>
    findTarget({
      id,
      session: config.session,
      token: config.token,
      tokenFile: config.tokenFile,
      tokenDirectory: config.tokens,
    })
  const target = await find()
  const port = new LocalPort(
    {
      waitMs: config.wait,
      resumeWithinMs: config.resumeWithin,
      maxSessions: config.maxSessions,
      environment: process.environment,
    },
    { clock: systemClock, random: Math.random, log, findTarget: find },
  )
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
    (socket: Socket) => port.accept(socket),
  )
  const number = await listen(server, {
    port: config.localPort,
    host: config.listen,
    what: 'the local port for ssh',
  })
  server.on('error', (error) => log.warn({ error }, 'a connection could not be accepted'))
  log.info({ id: target.id, host: config.listen, port: number }, 'listening for ssh')
  await aborted(process.signal)
  await Promise.all([closed(server), port.stop()])
  log.info('shell client stopped')
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
