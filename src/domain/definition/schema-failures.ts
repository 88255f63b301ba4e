import type { ErrorObject } from 'ajv/dist/2020.js';
import { boundedPointer, parsePointer } from '../../lib/json-pointer.js';
import type { Failure } from '../failure.js';

const maxFailures = 1_000;

/** Failures for people out of what Ajv says; pointers point into the data that was judged. At most 1,000. */
export function failuresFrom(errors: ErrorObject[]): Failure[] {
  const seen = new Map<string, Failure>();
  // What went wrong inside is listed on its own, for `if` and `propertyNames` under another name.
  const plain = errors.filter(({ keyword, propertyName }) => keyword !== 'if' && propertyName === undefined);
  for (const error of (plain.length > 0 ? plain : errors).slice(0, maxFailures)) {
    const pointer = pointerOf(error);
    const code = error.keyword === 'false schema' ? 'false' : error.keyword;
    const failure: Failure = { pointer, code, message: messageOf(error), severity: 'error' };
    seen.set(`${pointer} ${code} ${failure.message}`, failure);
  }
  return [...seen.values()];
}

const memberParams = ['missingProperty', 'additionalProperty', 'unevaluatedProperty', 'propertyName'];

function pointerOf({ instancePath, params }: ErrorObject): string {
  const tokens: (string | number)[] = parsePointer(instancePath) ?? [];
  const member = memberParams.find((name) => params[name] !== undefined);
  return boundedPointer(member === undefined ? tokens : [...tokens, params[member]]);
}

function messageOf(error: ErrorObject): string {
  const describe = messages[error.keyword];
  return describe === undefined ? (error.message ?? 'is not valid') : describe(error);
}

const messages: Record<string, (error: ErrorObject) => string> = {
  type: ({ schema, data }) =>
    `must be ${oneOf([schema].flat().map((type) => kindName(String(type))))}, is ${kindOf(data)}`,
  const: ({ schema, data }) => `must be ${shown(schema)}, is ${shown(data)}`,
  enum: ({ schema, data }) => `must be ${oneOf([schema].flat().map(shown))}, is ${shown(data)}`,
  maximum: ({ schema, data }) => `must be at most ${schema}, is ${data}`,
  minimum: ({ schema, data }) => `must be at least ${schema}, is ${data}`,
  exclusiveMaximum: ({ schema, data }) => `must be less than ${schema}, is ${data}`,
  exclusiveMinimum: ({ schema, data }) => `must be more than ${schema}, is ${data}`,
  multipleOf: ({ schema, data }) => `must be a multiple of ${schema}, is ${data}`,
  maxLength: ({ schema, data }) => `must have at most ${counted(schema, 'character')}, has ${sizeOf(data)}`,
  minLength: ({ schema, data }) => `must have at least ${counted(schema, 'character')}, has ${sizeOf(data)}`,
  pattern: ({ schema, data }) => `must match the pattern ${shown(schema)}, is ${shown(data)}`,
  format: ({ schema, data }) => `must be of the format ${schema}, is ${shown(data)}`,
  maxItems: ({ schema, data }) => `must have at most ${counted(schema, 'item')}, has ${sizeOf(data)}`,
  minItems: ({ schema, data }) => `must have at least ${counted(schema, 'item')}, has ${sizeOf(data)}`,
  items: ({ params, data }) => `must have at most ${counted(params.limit, 'item')}, has ${sizeOf(data)}`,
  unevaluatedItems: ({ params, data }) =>
    `must have at most ${counted(params.len ?? params.limit, 'item')}, has ${sizeOf(data)}`,
  uniqueItems: () => 'must not hold the same item twice',
  contains: ({ params }) => {
    const least = `must hold at least ${counted(params.minContains, 'item')} that match "contains"`;
    return params.maxContains === undefined ? least : `${least}, and at most ${params.maxContains}`;
  },
  maxProperties: ({ schema, data }) => `must have at most ${counted(schema, 'member')}, has ${sizeOf(data)}`,
  minProperties: ({ schema, data }) => `must have at least ${counted(schema, 'member')}, has ${sizeOf(data)}`,
  required: () => 'is required',
  dependentRequired: ({ params }) => `is required where ${shown(params.property)} is present`,
  additionalProperties: () => 'is not a known member',
  unevaluatedProperties: () => 'is not a known member',
  propertyNames: () => 'has a name that is not allowed',
  'false schema': () => 'must not be there',
  not: () => 'must not match the schema in "not"',
  anyOf: () => 'must match at least one of the schemas in "anyOf"',
  oneOf: ({ params }) =>
    `must match exactly one of the schemas in "oneOf", matches ${params.passingSchemas ? 'more' : 'none'}`,
};

function kindName(type: string): string {
  if (type === 'null') return 'null';
  return type === 'array' || type === 'object' || type === 'integer' ? `an ${type}` : `a ${type}`;
}

function kindOf(data: unknown): string {
  if (data === null) return 'null';
  return kindName(Array.isArray(data) ? 'array' : typeof data);
}

function oneOf(choices: string[]): string {
  if (choices.length === 1) return choices[0] ?? '';
  const few = choices.slice(0, 10).join(', ');
  return `one of ${few}${choices.length > 10 ? ` and ${choices.length - 10} more` : ''}`;
}

/** Characters of a string (code units where it is long, which saves time), items or members. */
function sizeOf(data: unknown): number {
  if (Array.isArray(data)) return data.length;
  if (typeof data !== 'string') return Object.keys(data ?? {}).length;
  return data.length > 1_000 ? data.length : [...data].length;
}

function counted(count: unknown, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return kindOf(value);
  if (typeof value === 'string' && value.length > 60) return `${JSON.stringify(value.slice(0, 60))}…`;
  return JSON.stringify(value);
}
