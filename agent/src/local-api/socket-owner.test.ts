import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { socketOwner } from './socket-owner.ts'

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const wideHeader =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'

interface Row {
  readonly local: string
  readonly remote: string
  readonly state?: string
  readonly uid?: number
  readonly inode?: number
}

function row({ local, remote, state = '01', uid = 1000, inode = 4711 }: Row): string {
  return `   1: ${local} ${remote} ${state} 00000000:00000000 02:00000A5C 00000000  ${uid}        0 ${inode} 2 0000000000000000 20 4 30 10 -1\n`
}

const client = {
  localAddress: '127.0.0.1',
  localPort: 45_678,
  remoteAddress: '127.0.0.1',
  remotePort: 8888,
}
const clientEnd = '0100007F:B26E'
const serverEnd = '0100007F:22B8'

describe('the owner of the client end', () => {
  test('is found in the row of that end, not in that of the server', () => {
    const table =
      header +
      row({ local: '00000000:22B8', remote: '00000000:0000', state: '0A', uid: 0 }) +
      row({ local: serverEnd, remote: clientEnd, uid: 0 }) +
      row({ local: clientEnd, remote: serverEnd, uid: 1001 })
    expect(socketOwner(table, client, 'LE')).toBe(1001)
  })

  test('is root where the row says so', () => {
    expect(socketOwner(header + row({ local: clientEnd, remote: serverEnd, uid: 0 }), client, 'LE')).toBe(0)
  })

  test('is unknown for a socket that nobody holds any more, though its row shows root', () => {
    const ends = { local: clientEnd, remote: serverEnd, uid: 0 }
    expect(socketOwner(header + row({ ...ends, state: '06' }), client, 'LE')).toBeUndefined()
    expect(socketOwner(header + row({ ...ends, state: '05' }), client, 'LE')).toBeUndefined()
    expect(socketOwner(header + row({ ...ends, inode: 0 }), client, 'LE')).toBeUndefined()
  })

  test('is unknown where ports or addresses differ', () => {
    const table =
      header +
      row({ local: '0100007F:B26F', remote: serverEnd }) +
      row({ local: '0200007F:B26E', remote: serverEnd })
    expect(socketOwner(table, client, 'LE')).toBeUndefined()
  })

  test('is found on machines of the other byte order', () => {
    const table = header + row({ local: '7F000001:B26E', remote: '7F000001:22B8', uid: 7 })
    expect(socketOwner(table, client, 'BE')).toBe(7)
  })

  test('is found for IPv6', () => {
    const one = '00000000000000000000000001000000'
    const table = wideHeader + row({ local: `${one}:B26E`, remote: `${one}:22B8`, uid: 12 })
    expect(socketOwner(table, { ...client, localAddress: '::1', remoteAddress: '::1' }, 'LE')).toBe(12)
  })

  test('is found for IPv4 written as IPv6, in either table', () => {
    const ends = { ...client, localAddress: '::ffff:127.0.0.1', remoteAddress: '::ffff:127.0.0.1' }
    const mapped = '0000000000000000FFFF00000100007F'
    expect(
      socketOwner(
        wideHeader + row({ local: `${mapped}:B26E`, remote: `${mapped}:22B8`, uid: 13 }),
        ends,
        'LE',
      ),
    ).toBe(13)
    expect(socketOwner(header + row({ local: clientEnd, remote: serverEnd, uid: 14 }), ends, 'LE')).toBe(14)
  })
})

test('whatever the table holds, it never throws', () => {
  const line = fc.array(fc.constantFrom(clientEnd, serverEnd, '01', '0', 'x', '', '-1', '99'), {
    maxLength: 12,
  })
  const table = fc.array(line.map((fields) => fields.join(' '))).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(table, (text) => {
      const owner = socketOwner(text, client, 'LE')
      return owner === undefined || owner >= 0
    }),
  )
})
