/** Where something was found: `/etc/practable/rules.sh line 7`. */
export type Place = string

/** What an old device does, as far as it shows in its files. */
export type OldPart =
  /** A rule that carries a feed to a relay (spec session 7.2). */
  | {
      readonly kind: 'destination'
      readonly place: Place
      readonly stream: string
      /** The access address of the topic, or a websocket address. */
      readonly destination: string
      readonly token: string
      /** A recording. */
      readonly file: string
    }
  /** A rule that gathers feeds. */
  | {
      readonly kind: 'stream'
      readonly place: Place
      readonly stream: string
      readonly feeds: readonly string[]
    }
  /** An ffmpeg that posts to a feed: its arguments without the output and its format. */
  | {
      readonly kind: 'camera'
      readonly place: Place
      readonly feed: string
      readonly input: readonly string[]
      readonly output: readonly string[]
    }
  /** A serial port that is joined to a TCP port of this machine. */
  | {
      readonly kind: 'serial'
      readonly place: Place
      readonly device: string
      readonly baudRate: number | undefined
      readonly tcpPort: number | undefined
      /** Line feeds to the instrument get a carriage return before them. */
      readonly sendsCrLf: boolean
    }
  /** The speed of a serial port, set by `stty`. */
  | { readonly kind: 'speed'; readonly place: Place; readonly device: string; readonly baudRate: number }
  /** A feed that is joined to a TCP port of this machine. */
  | {
      readonly kind: 'feed'
      readonly place: Place
      readonly feed: string
      readonly tcpPort: number | undefined
      readonly isText: boolean
    }
  /** The old shell host, by which people reach sshd. */
  | {
      readonly kind: 'shell-host'
      readonly place: Place
      /** Session address; '' where it is not known. */
      readonly session: string
      readonly token: string
      /** Of sshd; undefined where none is given. */
      readonly port: number | undefined
    }
  /** The old host itself. */
  | {
      readonly kind: 'host'
      readonly place: Place
      readonly port: number | undefined
      readonly hasApi: boolean
    }
