import { setFlagsFromString } from 'node:v8'

// A board has little memory, and this program computes little: where the space for its young objects may not grow (up
// to 16 MiB twice) it needs 5 MB less, and with code made for size another 4 MB, for a fifth of a percent of a core
// (npm run bench -- --only agent). Must come before all else is loaded.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--optimize-for-size')

const [{ runMain, runProgram }, { agentProgram }] = await Promise.all([
  import('@relay/common/command-line'),
  import('./program.ts'),
])
await runMain((argv, process) => runProgram(agentProgram('v0.2'), argv, process))
