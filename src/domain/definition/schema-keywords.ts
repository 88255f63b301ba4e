import type { FuncKeywordDefinition } from 'ajv/dist/2020.js';
import { canonicalJson } from '../../lib/canonical-json.js';
import { jsonEqual } from '../../lib/json-object.js';
import type { JsonValue } from '../../lib/json-value.js';
import type { SchemaMeter } from './schema-meter.js';

/**
 * Keywords that stand in for Ajv's own: `uniqueItems` because Ajv's is quadratic, `enum` and `const` because
 * Ajv's trips over members named `constructor` and `valueOf`, `multipleOf` because Ajv's divides in binary
 * and finds that 0.07 is no multiple of 0.01.
 */
export function ownKeywords(meter: SchemaMeter): FuncKeywordDefinition[] {
  const equals = (allowed: JsonValue, data: JsonValue) =>
    jsonEqual(allowed, data, (width) => meter.spend(3 * width));
  return [
    {
      keyword: 'enum',
      schemaType: 'array',
      errors: false,
      compile: (allowed: JsonValue[]) => {
        const scalars = new Set(allowed.filter((value) => !isContainer(value)));
        const containers = allowed.filter(isContainer);
        return (data: JsonValue) =>
          isContainer(data) ? containers.some((each) => equals(each, data)) : scalars.has(data);
      },
    },
    {
      keyword: 'const',
      errors: false,
      compile: (wanted: JsonValue) => (data: JsonValue) => equals(wanted, data),
    },
    {
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      errors: false,
      compile: (isWanted: boolean) => (data: JsonValue[]) => !isWanted || areUnique(data, meter),
    },
    {
      keyword: 'multipleOf',
      type: 'number',
      schemaType: 'number',
      errors: false,
      compile: (step: number) => (data: number) => {
        meter.spend(8);
        return isMultipleOf(data, step);
      },
    },
  ];
}

function isContainer(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null;
}

function areUnique(items: JsonValue[], meter: SchemaMeter): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalJson(item);
    meter.spend(4 + (text.length >> 2));
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Whether the decimal `value` is an integer times the decimal `step`, exactly. */
function isMultipleOf(value: number, step: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(step)) return value % step === 0;
  const [a, b] = [decimalOf(value), decimalOf(step)];
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (each: typeof a) => each.digits * 10n ** BigInt(each.exponent - exponent);
  return scaled(a) % scaled(b) === 0n;
}

/** digits × 10^exponent, as JavaScript writes the number. */
function decimalOf(value: number): { digits: bigint; exponent: number } {
  const [mantissa = '', power = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
