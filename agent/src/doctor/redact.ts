import { withoutSecrets } from '@relay/common/log'

const removed = '(removed)'

/** Words at whose end the name of a secret is recognised: `password`, `wpa_psk`, `MQTT_PASSWORD`, `accessToken`. */
const secretWords =
  'tokens?|secrets?|passwords?|passwd|passphrases?|psk|pin|credentials?|authorization|cookie|api[_-]?key|private[_-]?key|wep[_-]?key[0-9]?|pmk|pwd'

const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, removed],
  // User and password in an address, also in one that is no whole address any more. A password may hold "@".
  [/(?<=[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>]*@/gi, `${removed}@`],
  // "name": "value" and 'name': 'value', with escapes inside.
  [
    new RegExp(
      String.raw`(["'][\w.-]{0,64}?(?:${secretWords})["']\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}\]]+)`,
      'gi',
    ),
    `$1"${removed}"`,
  ],
  // Name and value on a line of their own: to its end, as a value may hold blanks.
  [
    new RegExp(String.raw`^(\s*(?:export\s+|-\s+)?[\w.-]{0,64}?(?:${secretWords})\s*[:=])[^\n]+$`, 'gim'),
    `$1 ${removed}`,
  ],
  // In the middle of a line: a quoted value, also one whose quotes are escaped, or up to the next blank.
  [
    new RegExp(
      String.raw`(\b[\w.-]{0,64}?(?:${secretWords})\s*[=:]\s*(?:(?:Bearer|Basic)\s+)?)(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\\+["'][^"'\n]*|[^\s"'&,;]+)`,
      'gi',
    ),
    `$1${removed}`,
  ],
  [
    new RegExp(String.raw`(--?[\w-]{0,64}?(?:${secretWords})(?:=|\s+))(?:"[^"]*"?|'[^']*'?|[^\s"']+)`, 'gi'),
    `$1${removed}`,
  ],
  [/(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}/gi, `$1${removed}`],
  // -u user:password of curl and mosquitto.
  [/(\s-(?:u|P)\s+)\S+/g, `$1${removed}`],
  // The key of a wireless network as 64 hexadecimal digits.
  [/\b[0-9a-f]{64}\b/gi, removed],
]

/** Shorter ones would cut words out of everything. */
const shortestSecret = 6

/**
 * Cuts out of any text what is, or looks like, a secret: what was planted as `known`, tokens and one-time codes, users
 * and passwords in addresses, private keys, and values behind names such as `password` or `psk`. Rather too much than
 * too little.
 */
export class Redactor {
  readonly #known: readonly string[]

  constructor(known: Iterable<string>) {
    const forms = [...known].flatMap((text) => {
      const secret = text.trim()
      return secret.length < shortestSecret
        ? []
        : [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
    })
    // The longest first: one may be the beginning of another.
    this.#known = [...new Set(forms)].toSorted((a, b) => b.length - a.length)
  }

  /** Of a text of our own: what is known as a secret, and what looks like a token; names of files stay whole. */
  ownText(text: string): string {
    let clean = text
    for (const secret of this.#known) clean = clean.replaceAll(secret, removed)
    return withoutSecrets(clean)
  }

  /** Of a text of anybody. */
  text(text: string): string {
    let clean = this.ownText(text)
    for (const [pattern, replacement] of rules) clean = clean.replaceAll(pattern, replacement)
    return clean
  }

  /** Every text of a value of JSON, at any depth; names of keys stay. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((item) => this.value(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        typeof item === 'string' && isSecretName(key) && item !== '' ? removed : this.value(item),
      ]),
    )
  }
}

const secretName = new RegExp(`(?:${secretWords})$`, 'i')

/** The name of a variable or key says that its value is a secret. Pure. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}
