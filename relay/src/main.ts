import { runMain, runProgram } from '@relay/common/command-line'
import { relayProgram } from './relay-program.ts'

await runMain((argv, process) => runProgram(relayProgram, argv, process))
