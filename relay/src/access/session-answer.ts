import {
  type AccessAnswer,
  bareRefusal,
  commonRefusals,
  handlerRefusal,
} from '@relay/common/server/access/access-answer'

/** Why the access API refuses; the README lists them with status and body. */
export const accessRefusals = [
  ...commonRefusals,
  'MISSING_CLAIMS',
  'WRONG_TOPIC',
  'WRONG_CONNECTION_TYPE',
  'NO_USABLE_SCOPE',
  'MISSING_BOOKING_ID',
  'BOOKING_DENIED',
] as const

/** What `POST /session/<topic>` says about a token that is good and does not serve, in the old server's order. */
export const refuseSession = {
  missingClaims: (): AccessAnswer => bareRefusal('MISSING_CLAIMS', 401, 'Token Missing Required Claims'),
  wrongTopic: (): AccessAnswer => bareRefusal('WRONG_TOPIC', 401, 'Token Wrong Topic'),
  wrongConnectionType: (): AccessAnswer =>
    bareRefusal(
      'WRONG_CONNECTION_TYPE',
      401,
      'Token Wrong Connection Type: this relay serves the prefix session',
    ),
  noUsableScope: (): AccessAnswer =>
    bareRefusal('NO_USABLE_SCOPE', 401, 'Token Without Read Or Write Scope: it could neither hear nor speak'),
  missingBookingId: (): AccessAnswer =>
    handlerRefusal('MISSING_BOOKING_ID', 400, 'empty bookingID field is not permitted'),
  bookingDenied: (): AccessAnswer =>
    handlerRefusal(
      'BOOKING_DENIED',
      400,
      'bookingID has been deny-listed, probably because the session was cancelled',
    ),
} as const
