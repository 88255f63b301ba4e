import { isJsonObject } from '../../lib/json-object.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';

/** `here` applies to the same value as the schema that holds it, `below` to a part of it, `aside` to neither. */
type Reach = 'here' | 'below' | 'aside';

interface SubschemaKeyword {
  holds: 'schema' | 'list' | 'map';
  reach: Reach;
}

const subschemaKeywords: Record<string, SubschemaKeyword> = {
  $defs: { holds: 'map', reach: 'aside' },
  definitions: { holds: 'map', reach: 'aside' },
  allOf: { holds: 'list', reach: 'here' },
  anyOf: { holds: 'list', reach: 'here' },
  oneOf: { holds: 'list', reach: 'here' },
  not: { holds: 'schema', reach: 'here' },
  if: { holds: 'schema', reach: 'here' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword is called so.
  then: { holds: 'schema', reach: 'here' },
  else: { holds: 'schema', reach: 'here' },
  dependentSchemas: { holds: 'map', reach: 'here' },
  properties: { holds: 'map', reach: 'below' },
  patternProperties: { holds: 'map', reach: 'below' },
  additionalProperties: { holds: 'schema', reach: 'below' },
  unevaluatedProperties: { holds: 'schema', reach: 'below' },
  propertyNames: { holds: 'schema', reach: 'below' },
  prefixItems: { holds: 'list', reach: 'below' },
  items: { holds: 'schema', reach: 'below' },
  contains: { holds: 'schema', reach: 'below' },
  unevaluatedItems: { holds: 'schema', reach: 'below' },
};

const plainKeywords = new Set(
  (
    'type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength ' +
    'pattern format maxItems minItems uniqueItems maxContains minContains maxProperties minProperties ' +
    'required dependentRequired $ref $comment title description default deprecated readOnly writeOnly ' +
    'examples contentEncoding contentMediaType mergeKey'
  ).split(' '),
);

const refusedKeywords: Record<string, string> = {
  $id: 'is refused: a schema stands alone, and references inside it are JSON Pointers such as #/$defs/name',
  $anchor: 'is refused: refer to a schema by a JSON Pointer such as #/$defs/name',
  $dynamicRef: 'is refused: only $ref is supported',
  $dynamicAnchor: 'is refused: only $ref is supported',
  $recursiveRef: 'is refused: only $ref is supported',
  $recursiveAnchor: 'is refused: only $ref is supported',
  $vocabulary: 'is refused: the vocabulary is the one of JSON Schema 2020-12',
  $async: 'is refused: validation is synchronous',
  dependencies: 'is not part of JSON Schema 2020-12: use dependentRequired or dependentSchemas',
  additionalItems: 'is not part of JSON Schema 2020-12: use prefixItems and items',
};

/** Why a keyword is refused, or null. `$schema` is the caller's business. */
export function keywordRefusal(keyword: string): string | null {
  if (Object.hasOwn(subschemaKeywords, keyword) || plainKeywords.has(keyword)) return null;
  return Object.hasOwn(refusedKeywords, keyword)
    ? (refusedKeywords[keyword] ?? null)
    : 'is no keyword of JSON Schema 2020-12 that is supported';
}

export interface Subschema {
  schema: JsonValue;
  /** Where it stands, relative to the schema that holds it. */
  path: string[];
  reach: Reach;
}

/** The schemas that stand directly inside a schema. */
export function subschemasOf(schema: JsonObject): Subschema[] {
  const found: Subschema[] = [];
  for (const keyword of Object.keys(schema)) {
    if (!Object.hasOwn(subschemaKeywords, keyword)) continue;
    const { holds, reach } = subschemaKeywords[keyword] as SubschemaKeyword;
    const value = schema[keyword] as JsonValue;
    if (holds === 'schema') found.push({ schema: value, path: [keyword], reach });
    else if (holds === 'list' ? Array.isArray(value) : isJsonObject(value)) {
      for (const [name, inner] of Object.entries(value as JsonObject)) {
        found.push({ schema: inner, path: [keyword, name], reach });
      }
    }
  }
  return found;
}
