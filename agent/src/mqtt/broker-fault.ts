import { AppError, describeError, errorCode } from '@relay/common/errors'

/** What is said about a broker in messages; holds no secret. */
export interface BrokerNames {
  /** Such as `mqtts://broker.example.org:8883`. */
  readonly broker: string
  readonly clientId: string
  readonly username: string
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: is the broker running, and is the port right?',
  ENOTFOUND: 'its name is unknown: check the spelling and the DNS of this machine',
  EAI_AGAIN: 'the DNS of this machine does not answer',
  EHOSTUNREACH: 'there is no way to it: check cable and network',
  ENETUNREACH: 'there is no way to it: check cable and network',
  ETIMEDOUT: 'it does not answer',
}

/** By OpenSSL's names (Node's documentation of `tls`, "X509 certificate error codes"). */
const certificateAdvice: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired: the broker needs a new one (or the clock of this machine is wrong)',
  CERT_NOT_YET_VALID: 'it is not valid yet: check the clock of this machine',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself: put it into caFile if you trust it',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its authority is unknown here: put the certificate of that authority into caFile',
  UNABLE_TO_GET_ISSUER_CERT:
    'its authority is unknown here: put the certificate of that authority into caFile',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its authority is unknown here: put the certificate of that authority into caFile',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its authority is unknown here: put the certificate of that authority into caFile',
  CERT_SIGNATURE_FAILURE: 'caFile holds another authority of the same name: put the right one into it',
  CERT_REVOKED: 'it was revoked: the broker needs a new one',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name: use the name that stands in it as the address',
  HOSTNAME_MISMATCH: 'it is for another name: use the name that stands in it as the address',
}

/** Turns what went wrong with a connection into what, where, and what to do. Pure. */
export function connectionFault(error: unknown, { broker }: Pick<BrokerNames, 'broker'>): AppError {
  if (error instanceof AppError) return error
  const code = errorCode(error) ?? ''
  const said = describeError(error)
  if (Object.hasOwn(certificateAdvice, code))
    return new AppError(
      'MQTT_CERTIFICATE_REFUSED',
      `the certificate of the broker ${broker} was refused: ${certificateAdvice[code] ?? said}`,
      { details: { reason: code } },
    )
  if (/ALERT/.test(code) || /\balert\b/i.test(said))
    return new AppError(
      'MQTT_CLIENT_CERTIFICATE_REFUSED',
      `the broker ${broker} refused this client during TLS: check certFile and keyFile (it wants a client certificate that its own authority has signed)`,
      { details: { reason: code } },
    )
  if (/SSL|TLS|EPROTO|CERT/.test(code)) return tlsFault(error, { broker })
  if (Object.hasOwn(unreachable, code))
    return new AppError(
      'MQTT_UNREACHABLE',
      `the broker ${broker} cannot be reached: ${unreachable[code] ?? said}`,
      { details: { reason: code } },
    )
  return new AppError('MQTT_LOST', `the connection to the broker ${broker} broke`, { cause: error })
}

/** The fault of a connection on which TLS could not begin. Pure. */
export function tlsFault(cause: unknown, { broker }: Pick<BrokerNames, 'broker'>): AppError {
  return new AppError(
    'MQTT_TLS_FAILED',
    `no TLS with the broker ${broker}: does that port speak TLS, and do its versions overlap with ours?`,
    { details: { reason: errorCode(cause) ?? '' }, cause },
  )
}

/** The fault for the reason code of a CONNACK (MQTT 3.1.1, 3.2.2.3; MQTT 5, 3.2.2.2). Pure. */
export function refusal(code: number, { broker, clientId, username }: BrokerNames): AppError {
  switch (code) {
    case 4:
    case 5:
    case 0x86:
    case 0x87:
    case 0x8a:
    case 0x8c:
      return new AppError(
        'MQTT_LOGIN_REFUSED',
        username === ''
          ? `the broker ${broker} lets nobody in without a name: give username and passwordFile`
          : `the broker ${broker} refused the user "${username}": check username and what stands in passwordFile`,
        { details: { reasonCode: code } },
      )
    case 1:
    case 0x84:
      return new AppError(
        'MQTT_VERSION_REFUSED',
        `the broker ${broker} does not speak this version of MQTT: set the other one as protocol`,
        { details: { reasonCode: code } },
      )
    case 2:
    case 0x85:
      return new AppError(
        'MQTT_CLIENT_ID_REFUSED',
        `the broker ${broker} refused the client id "${clientId}": set another clientId`,
        { details: { reasonCode: code } },
      )
    default:
      return new AppError(
        'MQTT_REFUSED',
        `the broker ${broker} let us not in now (reason ${code}); it may be busy or going down`,
        { details: { reasonCode: code } },
      )
  }
}

/** The fault for a DISCONNECT of the broker (MQTT 5, 3.14.2.1). Pure. */
export function farewell(code: number, { broker, clientId }: BrokerNames): AppError {
  if (code === 0x8e)
    return new AppError(
      'MQTT_TAKEN_OVER',
      `another client of the broker ${broker} has the client id "${clientId}": give each a clientId of its own`,
    )
  return new AppError('MQTT_LOST', `the broker ${broker} ended the connection (reason ${code})`, {
    details: { reasonCode: code },
  })
}
