import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Server } from '../../src/http/server.js';

interface Reference {
  $ref?: string;
}

interface ResponseDoc extends Reference {
  headers?: Record<string, Reference & { required?: boolean }>;
  content?: Record<string, { schema: object; examples?: Record<string, unknown> }>;
}

interface OperationDoc {
  operationId: string;
  responses: Record<string, ResponseDoc>;
}

interface Document {
  paths: Record<string, Record<string, OperationDoc>>;
  components: Record<string, Record<string, object>>;
}

/** An answer as it arrived. */
export interface Answer {
  method: string;
  /** Path and query. */
  url: string;
  status: number;
  headers: Record<string, string | undefined>;
  /** Undefined when there is none. */
  body: unknown;
}

/** Says what an answer has that the OpenAPI document does not tell of, or lacks that it promises. */
export type ContractCheck = (answer: Answer) => void;

/** The check against the OpenAPI document of `app`, which throws at the first breach. */
export async function contractOf(app: Server): Promise<ContractCheck> {
  await app.ready();
  const document = app.swagger() as unknown as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // The types of the package describe its CommonJS form.
  (addFormats as unknown as (target: Ajv2020) => void)(ajv);
  const compiled = new Map<object, ValidateFunction>();
  const validatorOf = (schema: object) => {
    const known = compiled.get(schema) ?? ajv.compile({ ...schema, components: document.components });
    compiled.set(schema, known);
    return known;
  };

  return (answer) => {
    const where = `${answer.method} ${answer.url} → ${answer.status}`;
    requireCommon(answer, where);
    const operation = operationOf(document, answer);
    if (operation === undefined) {
      return;
    }
    const documented = operation.responses[String(answer.status)];
    if (documented === undefined) {
      throw new Error(`${where}: ${operation.operationId} documents no such status: ${textOf(answer.body)}`);
    }
    const response = resolve(document, documented);
    requireHeaders(document, response, answer, where);
    requireBody(response, answer, where, validatorOf);
  };
}

function requireCommon({ headers, status, body, method }: Answer, where: string): void {
  for (const name of ['x-request-id', 'x-content-type-options', 'content-security-policy']) {
    if (headers[name] === undefined) {
      throw new Error(`${where}: has no ${name}`);
    }
  }
  if (status >= 400 && method !== 'HEAD') {
    const code = codeOf(body);
    if (headers['content-type'] !== 'application/problem+json' || code === undefined) {
      throw new Error(`${where}: is no problem document: ${textOf(body)}`);
    }
  }
}

function requireHeaders(document: Document, response: ResponseDoc, answer: Answer, where: string): void {
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const { required } = resolve(document, header) as { required?: boolean };
    if (required === true && answer.headers[name.toLowerCase()] === undefined) {
      throw new Error(`${where}: has no ${name}, which is documented`);
    }
  }
}

function requireBody(
  response: ResponseDoc,
  { body, headers, method }: Answer,
  where: string,
  validatorOf: (schema: object) => ValidateFunction,
): void {
  if (method === 'HEAD') {
    return;
  }
  if (response.content === undefined) {
    if (body !== undefined) {
      throw new Error(`${where}: has a body, and none is documented`);
    }
    return;
  }
  const type = headers['content-type']?.split(';', 1)[0] ?? '';
  const media = response.content[type];
  if (media === undefined) {
    throw new Error(`${where}: ${type} is not documented`);
  }
  const validate = validatorOf(media.schema);
  if (!validate(body)) {
    throw new Error(`${where}: ${JSON.stringify(validate.errors)} in ${textOf(body)}`);
  }
  const code = codeOf(body);
  if (type === 'application/problem+json' && !Object.hasOwn(media.examples ?? {}, code ?? '')) {
    throw new Error(`${where}: the code ${code} is not documented here: ${textOf(body)}`);
  }
}

/** The operation that documents the answer: of all paths that match, the one with the fewest parameters. */
function operationOf(document: Document, { method, url }: Answer): OperationDoc | undefined {
  const path = url.split('?', 1)[0] ?? '';
  const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase();
  const matching = Object.entries(document.paths).filter(([template, item]) => {
    const pattern = template.replace(/\{[^}]+\}/g, '[^/]*').replace(/\./g, '\\.');
    return item[verb] !== undefined && new RegExp(`^${pattern}$`).test(path);
  });
  const [nearest] = matching.sort(([a], [b]) => a.split('{').length - b.split('{').length);
  return nearest?.[1][verb];
}

function resolve<T extends Reference>(document: Document, value: T): T {
  const [, kind = '', name = ''] = /^#\/components\/([^/]+)\/(.+)$/.exec(value.$ref ?? '') ?? [];
  return value.$ref === undefined ? value : ((document.components[kind]?.[name] ?? {}) as T);
}

function codeOf(body: unknown): string | undefined {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const textOf = (body: unknown) => JSON.stringify(body)?.slice(0, 2000);
