/** Where an instrument is: behind a serial port of this machine, behind a network, or in a recorded session. */
export type InstrumentAddress =
  | { readonly kind: 'tty'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'rfc2217'; readonly host: string; readonly port: number }
  | { readonly kind: 'replay'; readonly path: string; readonly speed: number; readonly isLoop: boolean }

export type ParsedAddress =
  | { readonly ok: true; readonly address: InstrumentAddress }
  | { readonly ok: false; readonly refusal: string }

const fastest = 1_000
const forms = 'tcp://host:port, rfc2217://host:port, replay:/file or a path such as /dev/serial/by-id/…'

/** Reads `device` of an instrument; the refusal is a sentence for people. Pure. */
export function parseInstrumentAddress(text: string): ParsedAddress {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):/i.exec(text) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return { ok: true, address: { kind: 'tty', path: text } }
    case 'tcp':
      return parseHost(text, 'tcp')
    case 'rfc2217':
      return parseHost(text, 'rfc2217')
    case 'replay':
      return parseReplay(text)
    default:
      return refuse(`"${scheme}:" is no way to an instrument; write ${forms}`)
  }
}

function parseHost(text: string, kind: 'tcp' | 'rfc2217'): ParsedAddress {
  const form = `write it as ${kind}://host:port, such as ${kind}://10.0.0.7:4001`
  if (!URL.canParse(text)) return refuse(form)
  const { username, password, hostname, port, pathname, search, hash } = new URL(text)
  if (username !== '' || password !== '') return refuse(`it cannot log in anywhere; ${form}`)
  const hasMore = (pathname !== '' && pathname !== '/') || search !== '' || hash !== ''
  if (!text.includes('://') || hostname === '' || hasMore) return refuse(form)
  if (port === '' || port === '0') return refuse(`the port is missing; ${form}`)
  return { ok: true, address: { kind, host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port) } }
}

function parseReplay(text: string): ParsedAddress {
  const form = 'write it as replay:/path/of/the/file, with ?speed=2 or ?loop=true behind it where wanted'
  if (!URL.canParse(text)) return refuse(form)
  const { host, pathname, searchParams } = new URL(text)
  if (host !== '' || !pathname.startsWith('/')) return refuse(form)
  const unknown = [...searchParams.keys()].find((key) => key !== 'speed' && key !== 'loop')
  if (unknown !== undefined) return refuse(`"${unknown}" is unknown; ${form}`)
  const speed = Number(searchParams.get('speed') ?? '1')
  if (!(speed > 0 && speed <= fastest)) return refuse(`speed is a number above 0, up to ${fastest}`)
  const loop = searchParams.get('loop') ?? 'false'
  if (loop !== 'true' && loop !== 'false') return refuse('loop is true or false')
  try {
    return {
      ok: true,
      address: { kind: 'replay', path: decodeURIComponent(pathname), speed, isLoop: loop === 'true' },
    }
  } catch {
    return refuse(form)
  }
}

function refuse(refusal: string): ParsedAddress {
  return { ok: false, refusal }
}
