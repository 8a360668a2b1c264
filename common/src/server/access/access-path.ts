import { cleanPath, percentDecode, splitTarget } from '../request-path.ts'

/** The methods of each path; `*` stands for one segment that is not empty. */
export type MethodsByPath = Readonly<Record<string, readonly string[]>>

/** Paths that every access API has, with the methods that each answers. */
export const commonPaths: MethodsByPath = {
  '/bids/allow': ['POST', 'GET'],
  '/bids/deny': ['POST', 'GET'],
  '/status': ['GET'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/openapi.json': ['GET'],
}

/**
 * The target of a request line in the form in which routes are registered: cleaned as the old server does (spec
 * session 3.4: `//`, `..`, one trailing slash), each segment escaped in one way. A broken escape is left as it is: the
 * router refuses it. Pure.
 */
export function routeTarget(target: string): string {
  const { path, query } = splitTarget(target)
  if (percentDecode(path) === undefined) return '/%'
  const cleaned = cleanPath(path).replace(/(?<=.)\/$/, '')
  const segments = cleaned.split('/').map((segment) => encodeURIComponent(percentDecode(segment) ?? ''))
  return `${segments.join('/')}${query === '' ? '' : `?${query}`}`
}

/** The methods that a path answers, in the order in which `Allow` lists them; undefined for an unknown path. Pure. */
export function methodsOf(routedTarget: string, paths: MethodsByPath): readonly string[] | undefined {
  const segments = splitTarget(routedTarget).path.split('/')
  const known = Object.entries(paths).find(([pattern]) => fits(pattern.split('/'), segments))
  return known?.[1]
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part === '*' ? segments[index] !== '' : part === segments[index]))
  )
}
