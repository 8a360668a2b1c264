/** A session address of the access API, as `SHELLHOST_RELAYSESSION` has it: `https://…/shell/pend00`. */
export interface ShellAccess {
  /** The shell id: how people call the experiment. */
  readonly id: string
  /** Without query, user and password: fit for status and log. */
  readonly shown: string
}

/**
 * Takes a session address apart: `…/shell/<id>` of v0.2.2 and ours, `…/api/v1/connect/<id>` of its successor; both ask
 * alike. Which ids there may be is the relay's to say. Anything else is a sentence that says what is wrong, without the
 * address. Pure.
 */
export function parseShellAccess(address: string): ShellAccess | string {
  const url = URL.parse(address.trim())
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'it is no http or https address such as https://relay.example.org/shell-access/shell/pend00'
  if (url.username !== '' || url.password !== '')
    return 'it holds a user name or password; only a token lets in'
  const [, escaped] = /\/(?:shell|connect)\/([^/]+)\/?$/.exec(url.pathname) ?? []
  const id = escaped === undefined ? undefined : decoded(escaped)
  if (id === undefined)
    return 'its path does not end in /shell/<id>, such as https://relay.example.org/shell-access/shell/pend00'
  return { id, shown: `${url.protocol}//${url.host}${url.pathname}` }
}

function decoded(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped)
  } catch {
    return undefined
  }
}
