export interface BrokerPlace {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** As people read it; without anything secret. */
  readonly shown: string
}

export type ParsedBroker =
  | { readonly ok: true; readonly place: BrokerPlace }
  | { readonly ok: false; readonly problem: string }

/** Reads the address of a broker. A problem never shows a password. Pure. */
export function parseBroker(text: string): ParsedBroker {
  const form = 'it is written mqtt://host, mqtt://host:1883 or mqtts://host:8883'
  if (!URL.canParse(text)) return { ok: false, problem: form }
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text)
  if (username !== '' || password !== '')
    return {
      ok: false,
      problem: 'name and password do not stand in the address: give username and passwordFile',
    }
  if (protocol === 'ws:' || protocol === 'wss:')
    return { ok: false, problem: `MQTT over websockets is not supported; ${form}` }
  if ((protocol !== 'mqtt:' && protocol !== 'mqtts:') || hostname === '') return { ok: false, problem: form }
  if ((pathname !== '' && pathname !== '/') || search !== '' || hash !== '')
    return { ok: false, problem: `an address of a broker has no path; ${form}` }
  const isTls = protocol === 'mqtts:'
  const number = port === '' ? (isTls ? 8883 : 1883) : Number(port)
  if (number === 0) return { ok: false, problem: 'port 0 is none' }
  return {
    ok: true,
    place: {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: number,
      isTls,
      shown: `${protocol}//${hostname}:${number}`,
    },
  }
}
