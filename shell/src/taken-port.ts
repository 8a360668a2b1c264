import type { Process } from '@relay/common/command-line'
import { errorCode, exitCode } from '@relay/common/errors'
import { endWithFault } from '@relay/common/write-fault'

/**
 * The exit code of a command under its old name that failed: 1 where its port is taken, as the old programs ended (spec
 * shell 2 and 9.3) and as scripts around them know it; ours end with 69 there.
 * @throws the error itself, where it is another one.
 */
export function endAtTakenPort(program: string, error: unknown, process: Process): number {
  if (errorCode(error) !== 'PORT_IN_USE') throw error
  endWithFault(program, error, process)
  return exitCode.failed
}
