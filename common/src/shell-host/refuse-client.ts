import { encodeControl } from '../tunnel/control-message.ts'
import type { TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'

/** Says to a client of ours why it gets no session, in words for the person, and ends the link. */
export function refuse(link: TunnelLink, code: string, message: string): void {
  link.sendText(encodeControl({ type: 'refused', code, message }))
  link.close(closeCode.ended, 'refused')
}
