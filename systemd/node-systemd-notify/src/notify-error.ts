/** systemd could not be told something. `code` is that of the system (`ENOENT`), or one of those below. */
export class NotifyError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NotifyError'
    this.code = code
  }
}
