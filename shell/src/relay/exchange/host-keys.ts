/** What a host told of its ssh host keys, as `GET <access>/shell/<id>/host-keys` answers it. */
export interface HostKeys {
  readonly keys: readonly string[]
  /** Compact JWS of the device over the same keys; undefined where the host did not sign. */
  readonly signed: string | undefined
  /** When they were told last, RFC 3339. */
  readonly since: string
}
