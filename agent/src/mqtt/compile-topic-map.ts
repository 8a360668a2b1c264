import { type CommandPattern, type HoleType, parseCommandPattern } from './command-pattern.ts'
import type { MqttInstrumentConfig, MqttPublicationConfig, MqttSubscriptionConfig } from './mqtt-config.ts'
import { parseTemplate, renderTemplate, type Template } from './template.ts'
import { parseTopicFilter, topicProblem } from './topic-filter.ts'
import { messageNames, type Publication, type Subscription } from './topic-map.ts'

/** Something wrong in a map, by its place within the instrument. */
export interface MapProblem {
  /** Such as `/subscriptions/0/filter`. */
  readonly pointer: string
  readonly what: string
}

export interface TopicMap {
  readonly subscriptions: readonly Subscription[]
  readonly publications: readonly Publication[]
  /** Undefined: nothing asks. */
  readonly repeatRequest: CommandPattern | undefined
  /** Empty when all is right; else the lists hold what is. */
  readonly problems: readonly MapProblem[]
}

type MapConfig = Pick<MqttInstrumentConfig, 'subscriptions' | 'publications' | 'repeatRequest'>

/** What may stand in a topic: nothing that could be a level or a wildcard of its own. */
const topicHoleTypes: ReadonlySet<HoleType> = new Set(['word', 'integer'])

/** Reads the filters, patterns and templates of an instrument. Pure. */
export function compileTopicMap({ subscriptions, publications, repeatRequest }: MapConfig): TopicMap {
  const problems: MapProblem[] = []
  const tellAt =
    (base: string) =>
    (key: string, what: string): undefined =>
      void problems.push({ pointer: `${base}/${key}`, what })
  const subscribed = subscriptions.flatMap((config, index) => {
    const compiled = compileSubscription(config, tellAt(`/subscriptions/${index}`))
    return compiled === undefined ? [] : [compiled]
  })
  const published = publications.flatMap((config, index) => {
    const compiled = compilePublication(config, tellAt(`/publications/${index}`))
    return compiled === undefined ? [] : [compiled]
  })
  const request = repeatRequest === '' ? undefined : parseCommandPattern(repeatRequest)
  if (request?.ok === false) problems.push({ pointer: '/repeatRequest', what: request.problem })
  return {
    subscriptions: subscribed,
    publications: published,
    repeatRequest: request?.ok === true ? request.pattern : undefined,
    problems,
  }
}

type Tell = (key: string, what: string) => undefined

function compileSubscription(config: MqttSubscriptionConfig, tell: Tell): Subscription | undefined {
  const parsed = parseTopicFilter(config.filter)
  if (!parsed.ok) return tell('filter', parsed.problem)
  const { filter } = parsed
  const taken = filter.names.find((name) => messageNames.includes(name))
  if (taken !== undefined)
    return tell('filter', `the name "${taken}" has a meaning of its own in templates; take another`)
  let template: Template | undefined
  if (config.form !== 'raw') {
    const names = [...messageNames, ...filter.names]
    const read = parseTemplate(config.template, { form: config.form, names })
    if (!read.ok) return tell('template', read.problem)
    template = read.template
  }
  const { qos, keep, maxPerSecond } = config
  return { filter, qos, template, keepsLast: keep, maxPerSecond }
}

function compilePublication(config: MqttPublicationConfig, tell: Tell): Publication | undefined {
  const pattern = config.match === '' ? undefined : parseCommandPattern(config.match)
  if (pattern?.ok === false) return tell('match', pattern.problem)
  if (pattern === undefined && config.form !== 'raw')
    return tell('match', 'it is needed, unless form is raw: which commands go to that topic?')
  const holes = pattern?.pattern.holes ?? new Map<string, HoleType>()
  const topic = compileTopic(config.topic, holes, tell)
  if (topic === undefined) return undefined
  let payload: Template | undefined
  if (config.form !== 'raw') {
    const read = parseTemplate(config.template, { form: config.form, names: [...holes.keys()] })
    if (!read.ok) return tell('template', read.problem)
    payload = read.template
  }
  const { qos, retain } = config
  return { pattern: pattern?.pattern, topic, payload, qos, retain }
}

function compileTopic(text: string, holes: ReadonlyMap<string, HoleType>, tell: Tell): Template | undefined {
  const read = parseTemplate(text, { form: 'text', names: [...holes.keys()] })
  if (!read.ok) return tell('topic', read.problem)
  for (const { name, path } of read.template.holes) {
    if (path.length > 0 || !topicHoleTypes.has(holes.get(name) ?? 'json'))
      return tell('topic', `"${name}" may not stand in a topic: only holes of the types word and integer may`)
  }
  // The longest that a hole can give.
  const problem = topicProblem(renderTemplate(read.template, () => 'x'.repeat(64)))
  return problem === undefined ? read.template : tell('topic', problem)
}
