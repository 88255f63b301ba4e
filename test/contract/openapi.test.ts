import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderOpenapi } from '../../src/openapi.js';

interface Example {
  value: unknown;
}

interface Media {
  schema: { $ref?: string };
  example?: unknown;
  examples?: Record<string, Example>;
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  'x-order': number;
  parameters?: {
    name: string;
    in: string;
    required: boolean;
    schema: object;
    example?: unknown;
    description: string;
  }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { $ref?: string; description: string; content?: Record<string, Media> }>;
}

interface Document {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}

let text: string;
let document: Document;

beforeAll(async () => {
  text = await renderOpenapi();
  document = JSON.parse(text);
});

function operations(): [where: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
}

/** Everything in the document that `schema` leads to, checked by the rules of JSON Schema 2020-12. */
function validatorOf(schema: object) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (target: Ajv2020) => void)(ajv);
  return ajv.compile({ ...schema, components: document.components });
}

test('openapi/openapi.json is what the routes say; `npm run openapi` writes it anew', async () => {
  const committed = await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');
  expect(text).toBe(committed);
});

test('the document is the same each time', async () => {
  expect(await renderOpenapi()).toBe(text);
});

test('every reference leads somewhere', () => {
  for (const [, kind, name] of text.matchAll(/"#\/components\/([^/"]+)\/([^"]+)"/g)) {
    expect(document.components[kind ?? ''], `${kind}/${name}`).toHaveProperty([name ?? '']);
  }
});

describe('every operation', () => {
  test('has a name of its own, a summary and a description', () => {
    const names = operations().map(([, { operationId }]) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const [where, { summary, description, tags }] of operations()) {
      expect(summary, where).toMatch(/\S/);
      expect(description, where).toMatch(/\S{3}.*\S/s);
      expect(
        document.tags.map(({ name }) => name),
        where,
      ).toContain(tags[0]);
    }
  });

  test('describes every parameter', () => {
    for (const [where, { parameters = [] }] of operations()) {
      for (const { name, description } of parameters) {
        expect(description, `${where} ${name}`).toMatch(/\S/);
      }
    }
  });

  test('fills in what is needed to try it, with values that its own schema takes', () => {
    for (const [where, { parameters = [] }] of operations()) {
      for (const { name, required, schema, example } of parameters) {
        if (required) {
          expect(validatorOf(schema)(example), `${where} ${name}`).toBe(true);
        }
      }
    }
  });

  test('shows bodies that its own schema takes', () => {
    for (const [where, { requestBody }] of operations()) {
      for (const [type, { schema, examples = {} }] of Object.entries(requestBody?.content ?? {})) {
        expect(Object.keys(examples), `${where} ${type}`).not.toEqual([]);
        const validate = validatorOf(schema);
        for (const [name, { value }] of Object.entries(examples)) {
          expect(validate(value), `${where} ${name} ${JSON.stringify(validate.errors)}`).toBe(true);
        }
      }
    }
  });

  test('shows answers that its own schema allows', () => {
    for (const [where, { responses }] of operations()) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        for (const { schema, example, examples = {} } of Object.values(content)) {
          const shown = Object.values(examples).map(({ value }) => value);
          for (const value of example === undefined ? shown : [example, ...shown]) {
            const validate = validatorOf(schema);
            expect(validate(value), `${where} ${status} ${JSON.stringify(validate.errors)}`).toBe(true);
          }
        }
      }
    }
  });

  test('documents at least one answer that is none of the refusals', () => {
    for (const [where, { responses }] of operations()) {
      expect(
        Object.keys(responses).some((status) => status.startsWith('2')),
        where,
      ).toBe(true);
    }
  });
});
