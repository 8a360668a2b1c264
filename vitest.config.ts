import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test-rig/src/rig/longest-first.ts'

/** For `expect.poll`: a machine that is busy is no fault. */
const expectations = { poll: { timeout: 20_000 } }

/** Of the rig, what looks at the shell with real sshd, ssh and networks. */
const shellTests = ['test-rig/test/shell-*.test.ts', 'test-rig/test/golden-shell.test.ts']

/**
 * Five kinds of test, told apart by place: `unit` stands beside the source and does no I/O, `program` runs one program
 * with real sockets, `rig` runs several programs with real ffmpeg, ptys and Chromium, `shell` does so with real ssh,
 * `systemd` installs the packages in containers with a systemd of their own. They run in this order, so that nothing disturbs what the later ones measure.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          expect: expectations,
          name: 'unit',
          include: ['*/src/**/*.test.ts', 'book/web/src/**/*.test.ts', 'systemd/*/src/**/*.test.ts'],
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
          // Pure tests leave nothing behind: they share a worker, which makes them several times as quick.
          isolate: false,
          pool: 'threads',
        },
      },
      {
        test: {
          expect: expectations,
          name: 'program',
          include: ['{common,relay,agent,shell,book/web,systemd/node-systemd-notify}/test/**/*.test.ts'],
          // They wait for processes and timers more than they compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          expect: expectations,
          name: 'rig',
          include: ['test-rig/test/**/*.test.ts'],
          exclude: shellTests,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Chromium, ffmpeg and bursts at two cores: one file at a time keeps what is measured meaningful.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          expect: expectations,
          name: 'shell',
          include: shellTests,
          globalSetup: 'test-rig/src/shell/bundle-shell.ts',
          // They wait for delays, pings and deadlines more than they compute.
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          expect: expectations,
          name: 'systemd',
          include: ['systemd/test/**/*.test.ts'],
          testTimeout: 120_000,
          // The first file bakes a small Debian for the containers.
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
