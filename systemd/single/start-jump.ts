import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { jumpProgram } from '../../shell/src/jump-program.ts'

// As shell/src/jump-main.ts, for a program of one file: that can only be a script, where nothing may be awaited at the top.
void runMain((argv, process) => runProgram(jumpProgram, argv, process))
