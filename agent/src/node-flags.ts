/**
 * How V8 shall work for the agent. A board has little memory, and this program computes little: where the space for its
 * young objects may not grow (up to 16 MiB twice) it needs 5 MB less, with code made for size another 4 MB, and without
 * the two optimizing compilers another 9 MB. That costs CPU, 4.6 in place of 3.1 % of a core with a camera and 100 lines a
 * second in a run side by side (test-rig/bench/README.md): there memory is what a board has less of. They save most where
 * they stand on the command line, as in the package.
 */
export const v8Flags = [
  '--no-turbofan',
  '--no-maglev',
  '--optimize-for-size',
  '--semi-space-growth-factor=1',
] as const

/** The same, and what can only stand there: one thread for work in the background is enough. */
export const nodeFlags: readonly string[] = ['--v8-pool-size=1', ...v8Flags]
