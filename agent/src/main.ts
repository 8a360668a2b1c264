import { handOverVariable } from './config-child.ts'
import { keepSmall } from './keep-small.ts'

keepSmall()

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
