import { Ajv2020 } from 'ajv/dist/2020.js';
import { canonicalJson } from '../../lib/canonical-json.js';
import { isJsonObject } from '../../lib/json-object.js';
import { formatPointer, parsePointer } from '../../lib/json-pointer.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import type { Failure } from '../failure.js';
import type { Budget } from './budget.js';
import { compilePattern, PatternError } from './pattern.js';
import { formatChecks, formatNames } from './schema-formats.js';
import { keywordRefusal, subschemasOf } from './schema-structure.js';

const maxBytes = 65_536;
const maxDepth = 32;
const maxSubschemas = 2_000;
const maxNestedChecks = 400;
const maxMergeKeyLength = 255;
const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** Judges schemas against the meta-schema. It never compiles what people write: that takes a fresh Ajv each. */
const metaAjv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, logger: false });

interface Node {
  schema: JsonObject;
  path: string[];
  /** Pointers of the schemas that judge the same value as this one. */
  here: string[];
  nesting: Nesting;
}

/**
 * How deep Ajv nests the code of a schema: inside `not` and `if` each check stands inside the one before, and
 * each alternative of `oneOf` too. Thousands of levels take V8 seconds to compile and overflow its stack.
 */
interface Nesting {
  depth: number;
  isTrial: boolean;
}

/**
 * All that is wrong with a schema; nothing is compiled or run. Pointers start with `/schema`.
 * The limits come first and alone, because what is too large is not worth a closer look.
 */
export function inspectSchema(schema: JsonObject, patterns: Budget): Failure[] {
  const limit = limitRefusal(schema);
  if (limit !== null) return [failure([], 'schema-limit', limit)];
  const nodes = new Map<string, Node>();
  collectNodes(schema, [], nodes, { depth: 0, isTrial: false });
  if (nodes.size > maxSubschemas) {
    return [failure([], 'schema-limit', `holds more than ${maxSubschemas} schemas`)];
  }
  const entangled = [...nodes.values()].find(({ nesting }) => nesting.depth > maxNestedChecks);
  if (entangled) {
    const message = `holds more than ${maxNestedChecks} schemas that depend on each other`;
    return [failure(entangled.path, 'schema-limit', message)];
  }
  const failures = [...nodes.values()].flatMap((node) => inspectNode(node, nodes, patterns));
  if (failures.length === 0) failures.push(...findLoops(nodes));
  return [...failures, ...metaFailures(schema, failures)];
}

function failure(path: string[], code: string, message: string): Failure {
  return { pointer: formatPointer(['schema', ...path]), code, message };
}

function limitRefusal(schema: JsonObject): string | null {
  if (!isShallow(schema, maxDepth)) return `is nested deeper than ${maxDepth} levels`;
  return Buffer.byteLength(canonicalJson(schema)) > maxBytes ? `is larger than ${maxBytes / 1024} KiB` : null;
}

function isShallow(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((child) => isShallow(child, levels - 1));
}

function collectNodes(schema: JsonValue, path: string[], nodes: Map<string, Node>, outer: Nesting): void {
  if (!isJsonObject(schema)) return;
  const children = subschemasOf(schema);
  const checks = outer.isTrial ? children.length + widthOf(schema.dependentRequired) : widthOf(schema.oneOf);
  const nesting = { ...outer, depth: outer.depth + checks };
  const node: Node = { schema, path, here: [], nesting };
  nodes.set(formatPointer(path), node);
  for (const child of children) {
    const childPath = [...path, ...child.path];
    if (child.reach === 'here') node.here.push(formatPointer(childPath));
    const isTrial = nesting.isTrial || child.path[0] === 'not' || child.path[0] === 'if';
    // Definitions are compiled on their own.
    const inner = child.reach === 'aside' ? { depth: 0, isTrial: false } : { ...nesting, isTrial };
    collectNodes(child.schema, childPath, nodes, inner);
  }
}

function widthOf(value: JsonValue | undefined): number {
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

function inspectNode(node: Node, nodes: Map<string, Node>, patterns: Budget): Failure[] {
  const failures: Failure[] = [];
  const refuse = (path: string[], message: string) =>
    failures.push(failure([...node.path, ...path], 'schema-invalid', message));
  for (const keyword of Object.keys(node.schema)) {
    const refusal = keyword === '$schema' ? dialectRefusal(node) : keywordRefusal(keyword);
    if (refusal !== null) refuse([keyword], refusal);
  }
  const { $ref, pattern, format, patternProperties } = node.schema;
  if (typeof $ref === 'string') {
    const target = refTarget($ref);
    if (target === null) refuse(['$ref'], 'must be a JSON Pointer into this schema, such as #/$defs/name');
    else if (!nodes.has(target)) refuse(['$ref'], 'must point at a schema inside this schema');
    else node.here.push(target);
  }
  if (typeof pattern === 'string') checkPattern(pattern, patterns, (message) => refuse(['pattern'], message));
  if (isJsonObject(patternProperties)) {
    for (const source of Object.keys(patternProperties)) {
      checkPattern(source, patterns, (message) => refuse(['patternProperties', source], message));
    }
  }
  if (Object.hasOwn(node.schema, 'mergeKey') && !isMemberName(node.schema.mergeKey)) {
    refuse(['mergeKey'], `must be the name of a member, of 1 to ${maxMergeKeyLength} characters`);
  }
  if (typeof format === 'string' && !formatChecks.has(format)) {
    refuse(['format'], `must be one of ${formatNames.join(', ')}`);
  }
  return failures;
}

function isMemberName(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= maxMergeKeyLength;
}

function dialectRefusal(node: Node): string | null {
  if (node.path.length > 0) return 'may stand at the root of the schema only';
  const { $schema } = node.schema;
  return $schema === dialect || $schema === `${dialect}#` ? null : `must be ${dialect}`;
}

/** The pointer that a local `$ref` holds, as `collectNodes` writes it, or null. */
export function refTarget(ref: string): string | null {
  if (!ref.startsWith('#')) return null;
  try {
    const tokens = parsePointer(decodeURIComponent(ref.slice(1)));
    return tokens && formatPointer(tokens);
  } catch {
    return null;
  }
}

function checkPattern(source: string, patterns: Budget, refuse: (message: string) => void): void {
  try {
    compilePattern(source, patterns);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    refuse(error.message);
  }
}

/** References that lead back to themselves without descending into the value would never end. */
function findLoops(nodes: Map<string, Node>): Failure[] {
  const finished = new Set<string>();
  const open = new Set<string>();
  const failures: Failure[] = [];
  const visit = (pointer: string) => {
    const node = nodes.get(pointer);
    if (node === undefined || finished.has(pointer)) return;
    open.add(pointer);
    for (const next of node.here) {
      if (open.has(next)) {
        const message = 'leads back to itself without going into a member or an element';
        failures.push(
          failure([...node.path, ...(node.schema.$ref ? ['$ref'] : [])], 'schema-invalid', message),
        );
      } else visit(next);
    }
    open.delete(pointer);
    finished.add(pointer);
  };
  for (const pointer of nodes.keys()) visit(pointer);
  return failures;
}

function metaFailures(schema: JsonObject, known: Failure[]): Failure[] {
  const { $schema: _, ...rest } = schema;
  if (metaAjv.validateSchema(rest)) return [];
  const byPointer = new Map<string, Failure>();
  for (const { instancePath, message } of metaAjv.errors ?? []) {
    const pointer = `/schema${instancePath}`;
    if (known.some((each) => each.pointer === pointer) || byPointer.has(pointer)) continue;
    byPointer.set(pointer, { pointer, code: 'schema-invalid', message: message ?? 'is no JSON Schema' });
  }
  return [...byPointer.values()];
}
