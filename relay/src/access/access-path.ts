import { cleanPath, percentDecode, splitTarget } from '../request-path.ts'

/** Fixed paths of the access API and the methods that each answers. */
export const accessPaths: Readonly<Record<string, readonly string[]>> = {
  '/bids/allow': ['POST', 'GET'],
  '/bids/deny': ['POST', 'GET'],
  '/status': ['GET'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/openapi.json': ['GET'],
}

/** Methods of `/session/<topic>`. */
const sessionMethods = ['POST']

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
export function methodsOf(routedTarget: string): readonly string[] | undefined {
  const { path } = splitTarget(routedTarget)
  if (/^\/session\/[^/]+$/.test(path)) return sessionMethods
  return Object.hasOwn(accessPaths, path) ? accessPaths[path] : undefined
}
