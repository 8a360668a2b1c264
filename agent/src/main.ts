import { setFlagsFromString } from 'node:v8'

// A board has little memory, and the young objects of this program are few and small: where their space may not grow
// (up to 16 MiB twice) the program needs 5 MB less and no more processor time. Must come before all else is loaded.
setFlagsFromString('--semi-space-growth-factor=1')

const [{ runMain, runProgram }, { agentProgram }] = await Promise.all([
  import('@relay/common/command-line'),
  import('./program.ts'),
])
await runMain((argv, process) => runProgram(agentProgram('v0.2'), argv, process))
