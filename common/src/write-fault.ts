import type { Process } from './command-line.ts'
import { AppError, describeError, exitCodeOf, UsageError } from './errors.ts'
import { leadsToJournal, withPriority } from './journal.ts'
import { withoutSecrets } from './log.ts'

/** One or more lines on stderr about what went wrong; in the journal of systemd they are errors, or `warning`s. */
export function writeFault(
  text: string,
  { stderr, environment }: Pick<Process, 'stderr' | 'environment'>,
  kind: 'error' | 'warning' = 'error',
): void {
  const { fd } = stderr as { readonly fd?: unknown }
  const isJournal = typeof fd === 'number' && leadsToJournal(fd, environment)
  stderr.write(isJournal ? withPriority(text, kind === 'error' ? 3 : 4) : text)
}

/** The sentence for a person: what we expected may fail in one line, a fault of ours with its stack. No secrets. */
export function explainFault(error: unknown): string {
  if (error instanceof AppError) return withoutSecrets(describeError(error))
  const stack = error instanceof Error ? error.stack : undefined
  return withoutSecrets(`unexpected fault, please report it: ${stack ?? describeError(error)}`)
}

/** Tells why `program` ends, in one sentence on stderr, and gives its exit code. */
export function endWithFault(
  program: string,
  error: unknown,
  own: Pick<Process, 'stderr' | 'environment'>,
): number {
  writeFault(`${program}: ${explainFault(error)}\n`, own)
  if (error instanceof UsageError) own.stderr.write(`See "${program} --help".\n`)
  return exitCodeOf(error)
}
