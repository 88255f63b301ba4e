import { _, type CodeKeywordDefinition, type ErrorObject, type KeywordCxt, Name } from 'ajv/dist/2020.js';
import { isJsonObject } from '../../lib/json-object.js';
import type { JsonObject } from '../../lib/json-value.js';
import { Budget } from './budget.js';
import { refTarget } from './schema-inspection.js';
import { subschemasOf } from './schema-structure.js';

const maxUnits = 1_000_000;
/** How many failures are collected before judging ends. */
export const maxSchemaErrors = 1_000;

/** More failures than anyone reads; holds those found so far. */
export class TooManyErrors extends Error {
  constructor(readonly errors: ErrorObject[]) {
    super('too many failures');
  }
}

/** What judging one value with one schema costs. */
interface Cost {
  fixed: number;
  perMember: number;
  /** Per 32 characters. */
  perText: number;
}

export class SchemaMeter extends Budget {
  constructor() {
    super(maxUnits);
  }

  /** Spends what depends on the size of a value. */
  size(value: unknown, perMember: number, perText: number): void {
    if (typeof value === 'string') this.spend((value.length >> 5) * perText);
    else if (isJsonObject(value) && perMember > 0) this.spend(Object.keys(value).length * perMember);
  }

  tooManyErrors(errors: ErrorObject[] | null): never {
    throw new TooManyErrors(errors ?? []);
  }
}

const costKeyword = 'diptych:cost';

/** A copy of an inspected schema in which every subschema says what it costs. */
export function withCosts(schema: JsonObject): JsonObject {
  const copy = structuredClone(schema);
  delete copy.$schema;
  addCosts(copy);
  return copy;
}

function addCosts(schema: JsonObject): void {
  for (const child of subschemasOf(schema)) if (isJsonObject(child.schema)) addCosts(child.schema);
  const { fixed, perMember, perText } = costOf(schema);
  schema[costKeyword] = { fixed, perMember, perText };
  // Written in one way, so that Ajv reads the same target as the inspection did.
  const target = typeof schema.$ref === 'string' ? refTarget(schema.$ref) : null;
  if (target !== null) schema.$ref = `#${encodePointer(target)}`;
}

function encodePointer(pointer: string): string {
  return pointer.split('/').map(encodeURIComponent).join('/');
}

function costOf(schema: JsonObject): Cost {
  const has = (keyword: string) => (Object.hasOwn(schema, keyword) ? 1 : 0);
  const width = (keyword: string) => {
    const value = has(keyword) ? schema[keyword] : null;
    return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  };
  return {
    fixed: 1 + ((width('required') + width('properties') + width('enum')) >> 3),
    perMember:
      has('additionalProperties') * 5 +
      has('unevaluatedProperties') * 5 +
      has('propertyNames') * 2 +
      has('maxProperties') +
      has('minProperties') +
      width('patternProperties'),
    perText: has('minLength') + has('maxLength') + has('format'),
  };
}

/** Counts in the code that Ajv generates: a call for each schema and value would be too slow for good data. */
export function costKeywordDefinition(meter: SchemaMeter): CodeKeywordDefinition {
  return {
    keyword: costKeyword,
    before: '$ref',
    code({ gen, data, schema, it }: KeywordCxt) {
      const { fixed, perMember, perText } = schema as Cost;
      const counter = gen.scopeValue('obj', { ref: meter });
      gen.if(_`(${counter}.left -= ${fixed}) < 0`, () => gen.code(_`${counter}.stop()`));
      if (perMember + perText > 0) gen.code(_`${counter}.size(${data}, ${perMember}, ${perText})`);
      // Failures inside anyOf and the like may not count in the end, so they are not shown.
      const errors = it.compositeRule ? _`null` : new Name('vErrors');
      gen.if(_`${new Name('errors')} > ${maxSchemaErrors}`, () =>
        gen.code(_`${counter}.tooManyErrors(${errors})`),
      );
    },
  };
}
