/**
 * How V8 shall work for the agent. A board has little memory, and this program computes little: where the space for its
 * young objects may not grow (up to 16 MiB twice) it needs 5 MB less, with code made for size another 4 MB. Of the
 * optimizing compilers it has the small one (maglev) alone: that takes a quarter to a third of the CPU off for 3 MB.
 * Maglev in a thread of its own would need 2 MB more, putting functions into others 1 MB, and the large compiler
 * (turbofan) 3 MB, each for next to nothing. Bytecode that did not run between two full collections is dropped (1 MB).
 * Figures: test-rig/bench/README.md. They save most where they stand on the command line, as in the package.
 */
export const v8Flags = [
  '--no-turbofan',
  '--no-concurrent-recompilation',
  '--no-maglev-inlining',
  '--bytecode-old-age=1',
  '--optimize-for-size',
  '--semi-space-growth-factor=1',
] as const

/** The same, and what can only stand there: one thread for work in the background is enough. */
export const nodeFlags: readonly string[] = ['--v8-pool-size=1', ...v8Flags]
