import { setFlagsFromString } from 'node:v8'
import { handOverVariable } from './config-child.ts'

// A board has little memory, and this program computes little. Where the space for its young objects may not grow (up
// to 16 MiB twice) it needs 5 MB less, with code made for size another 4 MB, and without the two optimizing compilers
// another 8 MB, for a CPU load that is the same within what can be measured (npm run bench -- --only agent).
// Must come before all else is loaded.
for (const flag of ['--semi-space-growth-factor=1', '--optimize-for-size', '--no-turbofan', '--no-maglev'])
  setFlagsFromString(flag)

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
