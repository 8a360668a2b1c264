/** A server that copies one publisher's messages to many viewers, running as a process of its own. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly kind: 'relay' | 'raw'
  readonly proto: 'ws' | 'raw'
  readonly pid: number
  readonly port: number
  /** Lines for the load generator: the publisher's one-time path and then the viewers'; none where none are needed. */
  paths(viewers: number): Promise<readonly string[]>
  /** What the load generator needs to set up connections by itself. */
  setUpLoad(): Promise<{
    readonly options: Readonly<Record<string, string | number>>
    readonly lines: readonly string[]
  }>
}
