import { setFlagsFromString } from 'node:v8'
import { handOverVariable } from './config-child.ts'
import { v8Flags } from './node-flags.ts'

// Before all else is loaded, for whom no command line gave them.
for (const flag of v8Flags) setFlagsFromString(flag)

const { runMain } = await import('@relay/common/run-main')
const isService = process.argv[2] === 'run' && process.env[handOverVariable] === undefined
if (isService) {
  const { runLean } = await import('./run-lean.ts')
  await runMain(runLean)
} else {
  const [{ runProgram }, { agentProgram }] = await Promise.all([
    import('@relay/common/command-line'),
    import('./program.ts'),
  ])
  await runMain((argv, own) => runProgram(agentProgram('v0.2'), argv, own))
}
