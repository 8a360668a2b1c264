import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { relayProgram } from './relay-program.ts'

await runMain((argv, process) => runProgram(relayProgram, argv, process))
