import { adminSpecOf } from '@relay/common/admin/admin-config'
import type { AdminTool } from '@relay/common/admin/admin-tool'

/** `deny`, `allow` and `status` of the relay. */
export const relayAdmin: AdminTool = {
  spec: adminSpecOf({
    program: 'relay',
    envPrefix: 'RELAY_ADMIN',
    access: 'http://127.0.0.1:3000',
    audienceNames: ['RELAY_AUDIENCE'],
    secretNames: ['RELAY_SECRET'],
  }),
  prefix: 'session',
  secretName: 'RELAY_SECRET',
}
