import { type Answer, emptyAnswer, jsonAnswer, textAnswer } from './answer.ts'
import { goJsonString, goJsonStrings } from './go-json-text.ts'
import type { Route, RuleKind } from './route.ts'
import type { RuleDesk } from './rule-desk.ts'
import {
  destinationRuleJson,
  destinationRulesJson,
  parseDestinationRule,
  parseStreamRule,
  streamRuleJson,
  streamRulesJson,
  withHiddenToken,
} from './rule-json.ts'

/** Routes that are answered at once from rules and a short body: all but uploads and websockets. */
export type RestRoute = Exclude<Route, { kind: 'upload' | 'websocket' }>

export interface RestRequest {
  readonly route: RestRoute
  /** Empty for every route but `put-rule`. */
  readonly body: Buffer
  /** Who asks may see tokens: the same machine's root. */
  readonly maySeeTokens: boolean
}

/** Carries out one request on rules and gives its answer, byte for byte as the old host (spec session 7.1). */
export function answerRest({ route, body, maySeeTokens }: RestRequest, desk: RuleDesk): Answer {
  switch (route.kind) {
    case 'redirect':
      return emptyAnswer(301, { Location: route.location })
    case 'not-found':
      return textAnswer(404, '404 page not found')
    case 'method-not-allowed':
      return emptyAnswer(405)
    case 'api':
      return emptyAnswer(200)
    case 'healthcheck':
      return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '"ok"\n' }
    case 'put-rule':
      return route.of === 'streams' ? putStream(body, desk) : putDestination(body, desk)
    case 'list-rules':
      return listRules(route.of, desk, maySeeTokens)
    case 'get-rule':
      return route.of === 'streams'
        ? getStream(route.name, desk)
        : jsonAnswer(destinationRuleJson(shown(desk.destination(route.name), maySeeTokens)))
    case 'delete-rule':
      if (route.of === 'streams') desk.deleteStream(route.name)
      else desk.deleteDestination(route.name)
      return jsonAnswer(goJsonString(route.name))
    case 'delete-rules':
      if (route.of === 'streams') desk.deleteAllStreams()
      else desk.deleteAllDestinations()
      return jsonAnswer('"deleteAll"')
    default:
      return route satisfies never
  }
}

/** The answer would hold a token, so it matters who asks. */
export function showsTokens(route: Route, desk: RuleDesk): boolean {
  if (route.kind === 'get-rule' && route.of === 'destinations')
    return desk.destination(route.name).token !== ''
  return (
    route.kind === 'list-rules' &&
    route.of === 'destinations' &&
    desk.listDestinations().some(({ token }) => token !== '')
  )
}

function putStream(body: Buffer, desk: RuleDesk): Answer {
  const decoded = parseStreamRule(body)
  if (!decoded.ok) return textAnswer(500, decoded.error)
  const put = desk.putStream(decoded.rule)
  return put.ok ? jsonAnswer(streamRuleJson(decoded.rule)) : textAnswer(400, put.refusal)
}

/** The echo shows the token: it goes to nobody but the one who has just sent it. */
function putDestination(body: Buffer, desk: RuleDesk): Answer {
  const decoded = parseDestinationRule(body)
  if (!decoded.ok) return textAnswer(500, decoded.error)
  const put = desk.putDestination(decoded.rule)
  return put.ok ? jsonAnswer(destinationRuleJson(decoded.rule)) : textAnswer(400, put.refusal)
}

function listRules(of: RuleKind, desk: RuleDesk, maySeeTokens: boolean): Answer {
  if (of === 'streams') return jsonAnswer(streamRulesJson(desk.listStreams()))
  return jsonAnswer(destinationRulesJson(desk.listDestinations().map((rule) => shown(rule, maySeeTokens))))
}

function getStream(name: string, desk: RuleDesk): Answer {
  const rule = desk.stream(name)
  return rule === undefined ? textAnswer(404, 'Stream not found') : jsonAnswer(goJsonStrings(rule.feeds))
}

function shown(
  rule: Parameters<typeof withHiddenToken>[0],
  maySeeTokens: boolean,
): Parameters<typeof withHiddenToken>[0] {
  return maySeeTokens ? rule : withHiddenToken(rule)
}
