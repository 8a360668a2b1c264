import { runMain, runProgram } from '@relay/common/command-line'
import { agentProgram } from './program.ts'

await runMain((argv, process) => runProgram(agentProgram, argv, process))
