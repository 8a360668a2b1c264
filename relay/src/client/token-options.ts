import type { TokenCommandOptions } from '@relay/common/token-command/token-command'
import { decideToken022, decideToken093 } from './token-request.ts'

const lifetime = {
  option: 'lifetime',
  describe: 'how long the token is valid: seconds, or a time such as 12h or 365d',
}
const topic = { option: 'topic', describe: 'topic, such as spin30-data' }
const audience = { option: 'audience', describe: 'address of the access API, as the relay knows it' }
const connectionType = { option: 'connection-type', describe: 'kind of connection (default session)' }
const read = { option: 'read', describe: 'may hear: true (default) or false' }
const write = { option: 'write', describe: 'may speak: true (default) or false' }

/** `session token` of v0.2.2. */
export const sessionToken: TokenCommandOptions = {
  decide: decideToken022,
  prefix: 'ACCESSTOKEN',
  variables: {
    LIFETIME: lifetime,
    TOPIC: topic,
    AUDIENCE: audience,
    CONNECTIONTYPE: connectionType,
    READ: read,
    WRITE: write,
  },
}

/** `relay token` of 0.9.3. */
export const relayToken: TokenCommandOptions = {
  decide: decideToken093,
  prefix: 'RELAY_TOKEN',
  variables: {
    LIFETIME: lifetime,
    TOPIC: topic,
    AUDIENCE: audience,
    BOOKING_ID: { option: 'booking-id', describe: 'booking (default relay-token-cli)' },
    CONNECTION_TYPE: connectionType,
    SCOPE_READ: read,
    SCOPE_WRITE: write,
    SCOPE_ADMIN: { option: 'admin', describe: 'may deny and allow bookings: true or false (default)' },
    SCOPE_OTHER: { option: 'scope', describe: 'further scopes, such as relay:stats' },
  },
}
