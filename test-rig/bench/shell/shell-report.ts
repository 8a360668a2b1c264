import type { Target } from '../targets.ts'
import { textTable } from '../text-table.ts'
import type { ScpFigures } from './measure-scp.ts'
import type { Flow, TunnelFigures } from './measure-tunnel.ts'

/** Everything measured of the shell. */
export interface ShellFigures {
  readonly tunnel: TunnelFigures
  readonly scp: ScpFigures
}

/** For people. */
export function shellTable({ tunnel, scp }: ShellFigures): string {
  const { down, up, roundTrip, setUpMs, memory } = tunnel
  const of = ({ mbPerSec, cpuSecPerGb }: Flow): string =>
    `${mbPerSec.toFixed(0)} MB/s, ${cpuSecPerGb.toFixed(2)} s/GB`
  const kib = (bytes: number): string => (bytes / 1024).toFixed(0)
  return textTable(
    ['shell', 'tunnel', 'three TCP hops', 'ratio'],
    [
      [
        'host to client',
        of(down.tunnel),
        of(down.hops),
        `speed ${down.speed.toFixed(2)}, CPU ${down.cpu.toFixed(2)}`,
      ],
      [
        'client to host',
        of(up.tunnel),
        of(up.hops),
        `speed ${up.speed.toFixed(2)}, CPU ${up.cpu.toFixed(2)}`,
      ],
      [
        '64 bytes there and back',
        `${roundTrip.tunnelMs.toFixed(2)} ms`,
        `${roundTrip.hopsMs.toFixed(2)} ms`,
        roundTrip.ratio.toFixed(2),
      ],
      ['session set-up, p50 / p99', `${setUpMs.p50.toFixed(1)} / ${setUpMs.p99.toFixed(1)} ms`, '', ''],
      [
        'memory of a session: client / relay / host',
        `${kib(memory.clientBytes)} / ${kib(memory.relayBytes)} / ${kib(memory.hostBytes)} KiB`,
        '',
        '',
      ],
      [
        `scp of ${(scp.bytes / 1e6).toFixed(0)} MB, beside scp direct`,
        `${scp.tunnelMbPerSec.toFixed(0)} MB/s`,
        `${scp.directMbPerSec.toFixed(0)} MB/s`,
        scp.ratio.toFixed(2),
      ],
    ],
  )
}

/** What was aimed at, and whether it was reached. Pure. */
export function judgeShell({ tunnel: { down, up, roundTrip } }: ShellFigures): readonly Target[] {
  const target = (what: string, value: number, limit: number, isAtMost: boolean): Target => ({
    what,
    isMet: isAtMost ? value <= limit : value >= limit,
    figures: `${value.toFixed(2)}, aim ${isAtMost ? 'at most' : 'at least'} ${limit.toFixed(2)}`,
  })
  return [
    ...(
      [
        ['host to client', down],
        ['client to host', up],
      ] as const
    ).flatMap(([way, { speed, cpu }]) => [
      target(`tunnel, ${way}: speed of three TCP hops`, speed, 0.85, false),
      target(`tunnel, ${way}: CPU of three TCP hops`, cpu, 1.3, true),
    ]),
    target('tunnel: round trip of 64 bytes over three TCP hops', roundTrip.ratio, 1.4, true),
  ]
}
