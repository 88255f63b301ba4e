import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { completeDocument } from '../openapi/complete.js';
import { documentBase } from '../openapi/document.js';
import type { OpenapiDocument } from '../openapi/tidy.js';
import type { Server } from '../server.js';

const DOCS = '/docs';

// All that the page needs comes from the service itself; Swagger UI sets styles on elements.
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

// The top bar is a form for the URL of another document, which no one needs here.
const STYLE = '.swagger-ui .topbar{display:none}.swagger-ui .info{margin:24px 0}';

interface Sorted {
  getIn(path: string[]): number | undefined;
}

// Sent to the browser as text, so it can use nothing from outside itself.
const byOrder = (a: Sorted, b: Sorted) =>
  (a.getIn(['operation', 'x-order']) ?? 0) - (b.getIn(['operation', 'x-order']) ?? 0);

/** Collects the OpenAPI document from the routes that follow, and serves Swagger UI over it. */
export async function documentRoutes(app: Server): Promise<void> {
  await app.register(swagger, {
    openapi: documentBase,
    convertConstToEnum: false,
    transform: jsonSchemaTransform,
    transformObject: (document) => {
      const complete = completeDocument(jsonSchemaTransformObject(document) as unknown as OpenapiDocument);
      return complete as unknown as ReturnType<typeof jsonSchemaTransformObject>;
    },
  });
  await app.register(swaggerUi, {
    routePrefix: DOCS,
    staticCSP: DOCS_POLICY,
    theme: {
      title: 'Diptych: the API',
      css: [{ filename: 'diptych.css', content: STYLE }],
    },
    uiConfig: {
      deepLinking: true,
      docExpansion: 'list',
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      showCommonExtensions: true,
      operationsSorter: byOrder as unknown as (a: string, b: string) => number,
    },
  });
}
