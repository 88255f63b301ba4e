export type Json = Record<string, unknown>;

export interface OpenapiDocument extends Json {
  components: { schemas: Record<string, Json>; [kind: string]: unknown };
  paths: Record<string, Record<string, unknown>>;
}

const SCHEMAS = '#/components/schemas/';

/** The same document with one schema for each thing, none that is not used, and no noise in them. */
export function tidyDocument(document: OpenapiDocument): OpenapiDocument {
  return withoutUnusedSchemas(quiet(withoutTwins(document)));
}

// A schema that is used in requests and in answers comes twice; where both are equal, one name is enough.
function withoutTwins(document: OpenapiDocument): OpenapiDocument {
  const { schemas } = document.components;
  let text = JSON.stringify(document);
  for (const [name, schema] of Object.entries(schemas)) {
    const input = schemas[`${name}Input`];
    if (input !== undefined && JSON.stringify(input).replaceAll('Input"', '"') === JSON.stringify(schema)) {
      text = text.replaceAll(`"${SCHEMAS}${name}Input"`, `"${SCHEMAS}${name}"`);
    }
  }
  return JSON.parse(text);
}

// Bounds that every number has anyway, and the long patterns that a format says in one word.
function quiet<T>(document: T): T {
  const { examples, ...others } = (document as { components: Json }).components;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      return;
    }
    const schema = value as Json;
    if (schema.format === 'date-time' || schema.format === 'uuid') {
      delete schema.pattern;
    }
    if (schema.maximum === Number.MAX_SAFE_INTEGER) {
      delete schema.maximum;
    }
    if (schema.minimum === Number.MIN_SAFE_INTEGER) {
      delete schema.minimum;
    }
    if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') {
      delete schema.propertyNames;
    }
    Object.values(schema).forEach(visit);
  };
  visit(others);
  visit((document as unknown as OpenapiDocument).paths);
  return document;
}

function withoutUnusedSchemas(document: OpenapiDocument): OpenapiDocument {
  const { schemas, ...others } = document.components;
  const used = new Set<string>();
  const visit = (value: unknown) => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name !== undefined && !used.has(name)) {
        used.add(name);
        visit(schemas[name] ?? {});
      }
    }
  };
  visit([document.paths, others]);
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  document.components.schemas = Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  return document;
}
