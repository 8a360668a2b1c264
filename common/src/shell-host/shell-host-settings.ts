import { type StaticDecode, type TObject, Type } from 'typebox'
import { Bytes, Duration, Section } from '../config/schema.ts'

/** Variables of the old programs that mean the same. */
export interface OldHostVariables {
  readonly session: readonly string[]
  readonly port: readonly string[]
}

const none: OldHostVariables = { session: [], port: [] }

/** What a shell host can be told, alone and in the agent. */
// oxlint-disable-next-line typescript/explicit-function-return-type, typescript/explicit-module-boundary-types -- the type of a schema is its value
export function shellHostSettings(old: OldHostVariables = none) {
  return {
    session: Type.String({
      description:
        'session address at the access API of a shell relay: https://…/shell/<id>, or …/api/v1/connect/<id>; empty: no shell host',
      default: '',
      env: old.session,
    }),
    tokenFile: Type.String({
      description:
        'file that holds the host token; relative names are looked for where systemd puts credentials, then beside this file',
      default: '',
    }),
    sshd: Section({
      host: Type.String({
        description: 'where sshd listens; of a name every address is tried',
        default: 'localhost',
        minLength: 1,
      }),
      port: Type.Integer({
        description: 'its port',
        minimum: 1,
        maximum: 65_535,
        default: 22,
        env: old.port,
      }),
      within: Duration({
        description:
          'without a connection to sshd for so long the person is told that it is not to be reached',
        default: '900ms',
      }),
    }),
    hostKeys: Section({
      directory: Type.String({
        description:
          'folder whose ssh_host_*_key.pub are told to the relay, so that clients can check whom they reach; empty: none',
        default: '/etc/ssh',
      }),
      deviceKeyFile: Type.String({
        description: 'private key (JWK, Ed25519, with kid) that signs them; empty: they are not signed',
        default: '',
      }),
    }),
    limits: Section({
      sessions: Type.Integer({
        description: 'sessions at the same time; more are refused',
        minimum: 1,
        maximum: 10_000,
        default: 64,
      }),
      sessionsPerSecond: Type.Integer({
        description: 'new links in the long run; somewhat more than sessions may come at once',
        minimum: 1,
        maximum: 10_000,
        default: 20,
      }),
      parkedSize: Bytes({
        description:
          'what sessions without a link may hold together; above, the one without for longest ends',
        default: '32MiB',
      }),
      resumeWithin: Duration({
        description: 'a session without a connection to the relay for so long is given up',
        default: '2m',
      }),
    }),
  }
}

const section: TObject<ReturnType<typeof shellHostSettings>> = Section(shellHostSettings())
export type ShellHostSettings = Readonly<StaticDecode<typeof section>>
