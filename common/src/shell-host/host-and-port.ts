export interface SshdAddress {
  /** A name is looked up, and every address of it tried: sshd may listen on either family alone. */
  readonly host: string
  readonly port: number
}

/** `localhost:22`, `[::1]:22`. */
export function hostAndPort({ host, port }: SshdAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
