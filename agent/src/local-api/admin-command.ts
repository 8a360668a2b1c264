import { goJsonString, goJsonStrings } from './go-json-text.ts'
import { parseGoJson } from './parse-go-json.ts'
import type { RuleDesk } from './rule-desk.ts'
import {
  destinationRuleJson,
  destinationRuleOf,
  destinationRulesJson,
  Fields,
  streamRuleJson,
  streamRuleOf,
  streamRulesJson,
  withHiddenToken,
} from './rule-json.ts'

/** Whose words the two fixed errors have: v0.2.2, or v0.8.1 and later, where they begin in lower case (spec session 7.7). */
export type ErrorTexts = 'v0.2' | 'v0.9'

/** The rule that opens the feed `api` to a remote administrator; it cannot be deleted by that feed. */
export const apiRuleId = 'apiRule'

/** Longer ones are no commands; a rule with a long token has some 4 KiB. */
const maxCommandBytes = 64 * 1024

/**
 * Carries out one command of the feed `api` and gives the answer (spec session 7.7); undefined where the message is
 * itself an error answer, of another agent on the same topic: two agents would answer each other for ever.
 *
 * Tokens are hidden in what is listed, as the answer goes to everybody on the feed.
 */
export function answerAdminCommand(message: Buffer, desk: RuleDesk, texts: ErrorTexts): string | undefined {
  const unrecognised = errorJson(texts === 'v0.2' ? 'Unrecognised Command' : 'unrecognised Command')
  const parsed = message.length > maxCommandBytes ? undefined : parseGoJson(message)
  if (parsed?.ok !== true || parsed.value.kind !== 'object') return unrecognised
  const fields = new Fields(parsed.value, 'vw.clientCommand')
  if (fields.error(['verb', 'what', 'which']) !== undefined) return unrecognised
  const [verb, what, which] = [fields.string('verb'), fields.string('what'), fields.string('which')]
  if (verb === '' && fields.value('error') !== undefined) return undefined
  if (verb === 'healthcheck') return '{"healthcheck":"ok"}'
  if (what === 'destination') {
    if (verb === 'add') return addDestination(fields, desk)
    if (verb === 'list') return listDestination(which, desk)
    if (verb === 'delete' && which !== '') return deleteDestination(which, desk, texts)
  }
  if (what === 'stream') {
    if (verb === 'add') return addStream(fields, desk)
    if (verb === 'list' && which !== '') return listStream(which, desk)
    if (verb === 'delete') return deleteStream(which, desk)
  }
  return unrecognised
}

function addDestination(fields: Fields, desk: RuleDesk): string {
  const value = fields.value('rule')
  if (value === undefined) return missingRule()
  const decoded = destinationRuleOf(value)
  if (!decoded.ok) return errorJson(decoded.error)
  const put = desk.putDestination(decoded.rule)
  return put.ok ? destinationRuleJson(decoded.rule) : errorJson(put.refusal)
}

function addStream(fields: Fields, desk: RuleDesk): string {
  const value = fields.value('rule')
  if (value === undefined) return missingRule()
  const decoded = streamRuleOf(value)
  if (!decoded.ok) return errorJson(decoded.error)
  const put = desk.putStream(decoded.rule)
  return put.ok ? streamRuleJson(decoded.rule) : errorJson(put.refusal)
}

function listDestination(which: string, desk: RuleDesk): string {
  if (which === 'all')
    return destinationRulesJson(desk.listDestinations().map((rule) => withHiddenToken(rule)))
  return destinationRuleJson(withHiddenToken(desk.destination(which)))
}

function listStream(which: string, desk: RuleDesk): string {
  if (which === 'all') return streamRulesJson(desk.listStreams())
  return `{"feeds":${goJsonStrings(desk.stream(which)?.feeds ?? null)}}`
}

function deleteDestination(which: string, desk: RuleDesk, texts: ErrorTexts): string {
  if (which === apiRuleId)
    return errorJson(texts === 'v0.2' ? 'Cannot delete apiRule' : 'cannot delete apiRule')
  if (!meansAll(which)) {
    desk.deleteDestination(which)
    return deletedJson(which)
  }
  desk.deleteAllDestinations()
  return deletedJson('deleteAll')
}

function deleteStream(which: string, desk: RuleDesk): string {
  if (!meansAll(which)) {
    desk.deleteStream(which)
    return deletedJson(which)
  }
  desk.deleteAllStreams()
  return deletedJson('deleteAll')
}

function meansAll(which: string): boolean {
  return which === 'all' || which === 'deleteAll'
}

/** The old host died of this (spec session 9, 3). */
function missingRule(): string {
  return errorJson('add needs a rule: give it under the key rule')
}

function deletedJson(name: string): string {
  return `{"deleted":${goJsonString(name)}}`
}

function errorJson(sentence: string): string {
  return `{"error":${goJsonString(sentence)}}`
}
