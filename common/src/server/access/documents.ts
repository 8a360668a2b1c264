import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** How an access API describes itself. */
export interface ApiDocuments {
  /** How a token is sent, for people. */
  readonly tokenDescription: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  /** What clients of the old server find at `/swagger.json`. */
  readonly oldSwagger: object
}

/** Serves the API's own description: `/openapi.json`, the old `/swagger.json`, and `/docs` for people. */
export async function addDocuments(
  app: FastifyInstance,
  { info, oldSwagger, tokenDescription }: ApiDocuments,
): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      components: {
        securitySchemes: {
          token: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: tokenDescription,
          },
        },
      },
    },
  })
  // Descriptions are for the document alone: what is wrong is said in the old server's words, by the routes.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.get('/openapi.json', { schema: { summary: 'This document' } }, async (_request, reply) =>
    reply.header('Content-Type', 'application/json').send(Buffer.from(JSON.stringify(app.swagger()))),
  )
  const anyMethod = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
  const hidden = { hide: true }
  app.route({
    method: anyMethod,
    url: '/swagger.json',
    schema: hidden,
    handler: async (_request, reply) =>
      reply.header('Content-Type', 'application/json').send(Buffer.from(JSON.stringify(oldSwagger))),
  })
  app.route({
    method: anyMethod,
    url: '/docs',
    schema: hidden,
    handler: async (_request, reply) =>
      reply
        .header('Content-Type', 'text/html; charset=utf-8')
        .send(Buffer.from(documentPage(app.swagger() as ApiDocument, info))),
  })
}

interface ApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>
}

/** The document as one page without scripts: nothing is loaded from elsewhere. */
function documentPage(document: ApiDocument, info: ApiDocuments['info']): string {
  const sections = Object.entries(document.paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => section(method, path, operation as Operation)),
  )
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escape(info.title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}td{padding:0 1rem 0 0;vertical-align:top}</style>
</head>
<body>
<h1>${escape(info.title)}</h1>
<p>${escape(info.description)}</p>
<p>As a document for programs: <a href="openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
</body>
</html>
`
}

function section(method: string, path: string, operation: Operation): string {
  const rows = Object.entries(operation.responses ?? {}).map(
    ([status, response]) =>
      `<tr><td>${escape(status)}</td><td>${escape(response.description ?? '')}</td></tr>`,
  )
  return `<h2><code>${escape(method.toUpperCase())} ${escape(path)}</code></h2>
<p>${escape(operation.summary ?? '')}. ${escape(operation.description ?? '')}</p>
<table>${rows.join('')}</table>`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
