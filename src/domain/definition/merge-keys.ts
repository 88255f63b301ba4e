import { isJsonObject } from '../../lib/json-object.js';
import { parseIndex, parsePointer, readPointer } from '../../lib/json-pointer.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import { compilePattern, patternAllowance } from './pattern.js';
import { refTarget } from './schema-inspection.js';

/** The merge key of the array at a place in `data`, or null. A token is a member name, an index, or any name of an item. */
export type MergeKeyReader = (tokens: readonly (string | number)[]) => string | null;

/**
 * Finds `mergeKey` in an inspected schema. What certainly applies is followed: `properties`,
 * `patternProperties`, `additionalProperties`, `prefixItems`, `items`, `$ref` and `allOf`; alternatives
 * (`anyOf`, `oneOf`, `if`) are not, because which of them applies depends on the data.
 */
export function mergeKeyReader(root: JsonObject): MergeKeyReader {
  const matches = patternMatcher();
  return (tokens) => {
    let here = together([root], root);
    for (const token of tokens) {
      here = together(
        here.flatMap((schema) => below(schema, token, matches)),
        root,
      );
      if (here.length === 0) return null;
    }
    for (const { mergeKey } of here) if (typeof mergeKey === 'string') return mergeKey;
    return null;
  };
}

/** These schemas and all that apply to the same value with them, each once. */
function together(start: JsonObject[], root: JsonObject): JsonObject[] {
  const found = new Set(start);
  // A set goes on to what is added while it is gone through.
  for (const { $ref, allOf } of found) {
    const target = typeof $ref === 'string' ? refTarget($ref) : null;
    const referred = target === null ? undefined : readPointer(root, parsePointer(target) ?? []);
    for (const schema of [referred, ...(Array.isArray(allOf) ? allOf : [])]) {
      if (isJsonObject(schema)) found.add(schema);
    }
  }
  return [...found];
}

/** The schemas that a schema gives for a member or an item. */
function below(schema: JsonObject, token: string | number, matches: Matcher): JsonObject[] {
  const members = typeof token === 'string' ? ofMember(schema, token, matches) : [];
  return [...members, ofItem(schema, token)].filter(isJsonObject);
}

function ofMember(schema: JsonObject, name: string, matches: Matcher): (JsonValue | undefined)[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const found: (JsonValue | undefined)[] = [];
  if (isJsonObject(properties) && Object.hasOwn(properties, name)) found.push(properties[name]);
  if (isJsonObject(patternProperties)) {
    for (const [source, inner] of Object.entries(patternProperties)) {
      if (matches(source, name)) found.push(inner);
    }
  }
  return found.length > 0 ? found : [additionalProperties];
}

function ofItem({ prefixItems, items }: JsonObject, token: string | number): JsonValue | undefined {
  const index = parseIndex(String(token));
  const isPrefix = Array.isArray(prefixItems) && index !== null && index < prefixItems.length;
  return isPrefix ? prefixItems[index] : items;
}

type Matcher = (source: string, text: string) => boolean;

/** Patterns are compiled when they are asked for; the inspection has let them through. */
function patternMatcher(): Matcher {
  const allowance = patternAllowance();
  const compiled = new Map<string, ReturnType<typeof compilePattern>>();
  return (source, text) => {
    const pattern = compiled.get(source) ?? compilePattern(source, allowance);
    compiled.set(source, pattern);
    return pattern.test(text);
  };
}
