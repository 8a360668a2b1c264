import { describe, expect, test } from 'vitest'
import { inheritedSockets } from './inherited-sockets.ts'

describe('sockets that systemd hands over', () => {
  test.each([
    [{}, {}],
    [{ LISTEN_PID: '8', LISTEN_FDS: '1', LISTEN_FDNAMES: 'access' }, {}],
    [{ LISTEN_FDS: '1', LISTEN_FDNAMES: 'access' }, {}],
    [{ LISTEN_PID: '7', LISTEN_FDS: '0' }, {}],
    [
      { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'relay:metrics:access' },
      { relay: 3, metrics: 4, access: 5 },
    ],
    [{ LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'relay' }, { relay: 3 }],
  ])('of %j are %j for process 7', (environment, expected) => {
    expect(inheritedSockets(environment, 7)).toEqual(expected)
  })

  test.each([
    [
      { LISTEN_FDS: '1', LISTEN_FDNAMES: 'relay-access.socket' },
      'SOCKET_NAME_UNKNOWN',
      /"relay-access.socket"/,
    ],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'access' }, 'SOCKET_NAME_UNKNOWN', /called ""/],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'relay:relay' }, 'SOCKET_TWICE', /two sockets called "relay"/],
    [{ LISTEN_FDS: 'two' }, 'SOCKETS_WRONG', /LISTEN_FDS/],
    [{ LISTEN_FDS: '99' }, 'SOCKETS_WRONG', /LISTEN_FDS/],
  ])('that nobody would listen on are refused: %j', (environment, code, message) => {
    const ask = (): unknown => inheritedSockets({ LISTEN_PID: '7', ...environment }, 7)

    expect(ask).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }))
  })
})
