import { z } from 'zod';
import { catalogue, DiptychError, type ErrorCode } from '../../domain/errors.js';
import { toProblem } from '../problem.js';
import { headerDocs, headerReference } from './headers.js';
import { documentationOf, type OperationDoc, operationIds, type SuccessDoc } from './operation.js';
import { type RefusalResponses, refusalsByStatus } from './refusals.js';
import { type Json, type OpenapiDocument, tidyDocument } from './tidy.js';

interface Parameter extends Json {
  name: string;
  in: string;
  required?: boolean;
  schema?: Json;
}

export interface Operation extends Json {
  operationId?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, Json> };
  responses: Record<string, Json>;
}

/**
 * Completes what @fastify/swagger made from the routes: refusals with their codes, headers, examples, the
 * nested filter, optional bodies. Written here once, instead of by hand in each route.
 */
export function completeDocument(document: OpenapiDocument): OpenapiDocument {
  const order = operationIds();
  const refusals: RefusalResponses = new Map();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      const doc = documentationOf(operation.operationId ?? '');
      if (doc !== undefined) {
        completeParameters(operation, doc);
        completeBody(operation, doc);
        completeResponses(operation, doc, refusalsByStatus(refusals, { operation, doc, path, method }));
        // Swagger UI sorts by this: the order of a record's life, not that of paths.
        operation['x-order'] = order.indexOf(doc.id);
      }
    }
  }
  Object.assign(document.components, {
    headers: headerDocs,
    responses: Object.fromEntries([...refusals].sort(([a], [b]) => (a < b ? -1 : 1))),
    examples: Object.fromEntries(usedCodes(refusals).map((code) => [code, exampleOf(code)])),
  });
  return tidyDocument(document);
}

function completeParameters(operation: Operation, doc: OperationDoc): void {
  for (const parameter of operation.parameters ?? []) {
    const example = doc.parameterExamples?.[parameter.name] ?? parameter.schema?.example ?? parameter.example;
    delete parameter.schema?.example;
    delete parameter.example;
    // An example of an optional parameter would be filled in and sent by Swagger UI unasked.
    const isFilled = parameter.required === true || parameter.name in (doc.parameterExamples ?? {});
    if (example !== undefined && isFilled) {
      parameter.example = example;
    }
    if (parameter.name === 'filter') {
      Object.assign(parameter, { style: 'deepObject', explode: true });
    }
    if (parameter.in === 'header') {
      parameter.name = parameter.name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    }
  }
}

function completeBody({ requestBody }: Operation, doc: OperationDoc): void {
  if (requestBody === undefined) {
    return;
  }
  requestBody.required = doc.bodyOptional !== true;
  if (doc.bodies !== undefined) {
    const bodies = Object.entries(doc.bodies).map(([type, schema]) => [
      type,
      { schema: inputSchema(schema) },
    ]);
    requestBody.content = Object.fromEntries(bodies);
  }
  for (const [type, examples] of Object.entries(doc.bodyExamples ?? {})) {
    Object.assign(requestBody.content[type] ?? {}, { examples });
  }
}

function inputSchema(schema: z.ZodType): Json {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return json;
}

function completeResponses(operation: Operation, doc: OperationDoc, refusals: Map<number, Json>): void {
  const responses: Record<string, Json> = {};
  for (const [status, success] of Object.entries(doc.successes)) {
    responses[status] = successResponse(success, operation.responses[status]);
  }
  for (const [status, refusal] of refusals) {
    responses[status] = refusal;
  }
  operation.responses = responses;
}

function successResponse(success: SuccessDoc, generated: Json | undefined): Json {
  const {
    description,
    headers = [],
    optionalHeaders = [],
    example,
    examples,
    mediaType = 'application/json',
    alternatives = {},
  } = success;
  const names = [...headers, 'X-Request-Id' as const];
  const sometimes = optionalHeaders.map((name) => {
    const { required, ...header } = headerDocs[name];
    return [name, header];
  });
  const response: Json = {
    description,
    headers: Object.fromEntries([...names.map((name) => [name, headerReference(name)]), ...sometimes]),
  };
  if (success.schema !== undefined) {
    const content = generated?.content as Record<string, Json> | undefined;
    const schema = content?.['application/json']?.schema;
    response.content = {
      [mediaType]: {
        schema,
        ...(example === undefined ? {} : { example }),
        ...(examples === undefined ? {} : { examples }),
      },
      ...alternatives,
    };
  }
  return response;
}

function usedCodes(refusals: RefusalResponses): ErrorCode[] {
  const used = new Set([...refusals.keys()].flatMap((name) => name.split('.')));
  const codes = Object.keys(catalogue) as ErrorCode[];
  return codes.filter((code) => used.has(code));
}

function exampleOf(code: ErrorCode): Json {
  const { title, help } = catalogue[code];
  const requestId = '0f8e2f6c-8a53-4a0b-9a44-1f5b0a1c2d3e';
  const value = toProblem(new DiptychError(code, help.replaceAll('`', '')), requestId);
  return { summary: title, value };
}
