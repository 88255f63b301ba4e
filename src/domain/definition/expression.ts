import { Environment } from '@marcbachmann/cel-js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import type { Budget } from './budget.js';
import { boundCost } from './expression-cost.js';
import { ExpressionError, inspectExpression, quietErrors } from './expression-inspection.js';
import type { SafePattern } from './pattern.js';

const maxLength = 4_096;

/** An expression could not be evaluated on this record; the message says why. */
export class EvaluationError extends Error {}

export type Variables = Record<'data' | 'current' | 'key' | 'operation', JsonValue>;

/** A CEL expression that gives true or false. */
export interface Expression {
  /** The variables that it reads. */
  mentioned: Set<string>;
  /**
   * @throws {EvaluationError}
   * @throws {BudgetExceeded} when its worst case on values of this size is more work than is left
   */
  evaluate(variables: Variables, budget: Budget): boolean;
}

/**
 * Compiles a CEL expression over `data`, `current`, `key` and `operation`. Numbers of the data are doubles,
 * as in JSON, and go together with integer literals in all arithmetic and comparisons: `data.price / 2` is
 * a division of doubles. Only among integer literals is arithmetic CEL's of integers: `5 / 2` is 2. Text is
 * matched by `matches(text, 'pattern')` with a literal pattern, which runs in linear time; the method of that
 * name is refused, because its engine does not.
 *
 * @param allowance what all patterns of a definition may cost together
 * @throws {ExpressionError}
 */
export function compileExpression(text: string, allowance: Budget): Expression {
  if (text.length > maxLength) throw new ExpressionError(`is longer than ${maxLength} characters`);
  const patterns = new Map<string, SafePattern>();
  const program = parse(text, patterns);
  const mentioned = inspectExpression(program.ast, patterns, allowance);
  const { valid, type, error } = program.check();
  if (!valid) throw new ExpressionError(`is refused: ${firstLine(error)}`);
  if (type !== 'bool' && type !== 'dyn') throw new ExpressionError(`must give true or false, gives ${type}`);
  quietErrors(program.ast);
  return {
    mentioned,
    evaluate(variables, budget) {
      budget.spend(boundCost(program.ast, variables, patterns));
      const { data, current } = variables;
      const result = run(() => program({ ...variables, data: shielded(data), current: shielded(current) }));
      if (typeof result !== 'boolean')
        throw new EvaluationError(`it gives no true or false, but ${typeof result}`);
      return result;
    },
  };
}

function parse(text: string, patterns: Map<string, SafePattern>) {
  const made = environment(patterns);
  try {
    // The line break has to do with `quietErrors`.
    return made.parse(`\n${text}`);
  } catch (error) {
    throw new ExpressionError(`is no CEL expression: ${firstLine(error)}`);
  }
}

const run = (evaluate: () => unknown) => {
  const { stackTraceLimit } = Error;
  // A list of thousands may end with an error for each item, which && or a macro takes no notice of.
  Error.stackTraceLimit = 0;
  try {
    return evaluate();
  } catch (error) {
    throw new EvaluationError(firstLine(error));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

const shields = new WeakMap<object, unknown>();

/**
 * The value, where objects with a member named `constructor` are maps: cel-js reads that as their class. Looked
 * at once, whatever the number of rules: a record may be large.
 */
function shielded(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = shields.get(value);
  if (known !== undefined) return known;
  const shield = hasConstructor(value) ? toMaps(value) : value;
  shields.set(value, shield);
  return shield;
}

function hasConstructor(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, 'constructor') || Object.values(value).some(hasConstructor);
}

function toMaps(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toMaps);
  return new Map(Object.entries(value as JsonObject).map(([name, member]) => [name, toMaps(member)]));
}

const firstLine = (error: unknown) =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);

type Numeric = number | bigint;

const arithmetic: Record<string, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

function environment(patterns: Map<string, SafePattern>): Environment {
  const made = new Environment({
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: 1_000,
      maxDepth: 60,
      maxListElements: 500,
      maxMapEntries: 100,
      maxCallArguments: 8,
    },
  })
    .registerVariable('data', 'dyn')
    .registerVariable('current', 'dyn')
    .registerVariable('key', 'string')
    .registerVariable('operation', 'string')
    .registerFunction(
      'matches(string, string): bool',
      (text: string, pattern: string) => patterns.get(pattern)?.test(text) === true,
    );
  for (const [operator, compute] of Object.entries(arithmetic)) {
    const mixed = (left: Numeric, right: Numeric) => compute(Number(left), Number(right));
    made.registerOperator(`double ${operator} int: double`, mixed);
    made.registerOperator(`int ${operator} double: double`, mixed);
  }
  return made
    .registerOperator('double % double', (left: number, right: number) => left % right)
    .registerOperator('int == double', (left: Numeric, right: Numeric) => Number(left) === Number(right));
}
