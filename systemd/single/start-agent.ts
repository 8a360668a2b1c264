import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { keepSmall } from '../../agent/src/keep-small.ts'
import { agentProgram } from '../../agent/src/program.ts'

// As agent/src/main.ts, for a program of one file: that can only be a script, where nothing may be awaited at the top.
keepSmall()
void runMain((argv, process) => runProgram(agentProgram('v0.2'), argv, process))
