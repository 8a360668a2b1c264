import { keepSmall } from './keep-small.ts'

// As in main.ts; this entry is that of `relay host`, whose local API has the words of v0.9.3.
keepSmall()

const [{ runMain }, { runProgram }, { agentProgram }] = await Promise.all([
  import('@relay/common/run-main'),
  import('@relay/common/command-line'),
  import('./program.ts'),
])
await runMain((argv, process) => runProgram(agentProgram('v0.9'), argv, process))
