import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { labProgram } from './lab-program.ts'

// The terminal was closed: the same as Ctrl-C.
process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))
await runMain((argv, process) => runProgram(labProgram, argv, process))
