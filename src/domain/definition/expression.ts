import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import type { JsonValue } from '../../lib/json-value.js';
import type { Budget } from './budget.js';
import { boundCost, iteratingMacros } from './expression-cost.js';
import { compilePattern, PatternError, type SafePattern } from './pattern.js';

const maxLength = 4_096;
const maxMacroDepth = 2;

/** An expression is refused; the message says why. */
export class ExpressionError extends Error {}

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
 * as in JSON, and go together with integer literals in all arithmetic. Text is matched by
 * `matches(text, 'pattern')` with a literal pattern, which runs in linear time; the method of that name is
 * refused, because its engine does not.
 *
 * @param allowance what all patterns of a definition may cost together
 * @throws {ExpressionError}
 */
export function compileExpression(text: string, allowance: Budget): Expression {
  if (text.length > maxLength) throw new ExpressionError(`is longer than ${maxLength} characters`);
  const patterns = new Map<string, SafePattern>();
  const program = parse(text, patterns);
  const mentioned = new Set<string>();
  inspect(program.ast, 0, { mentioned, patterns, allowance });
  const { valid, type, error } = program.check();
  if (!valid) throw new ExpressionError(`is refused: ${firstLine(error)}`);
  if (type !== 'bool' && type !== 'dyn') throw new ExpressionError(`must give true or false, gives ${type}`);
  return {
    mentioned,
    evaluate(variables, budget) {
      budget.spend(boundCost(program.ast, variables, patterns));
      const result = run(() => program(variables));
      if (typeof result !== 'boolean')
        throw new EvaluationError(`it gives no true or false, but ${typeof result}`);
      return result;
    },
  };
}

function parse(text: string, patterns: Map<string, SafePattern>) {
  try {
    return environment(patterns).parse(text);
  } catch (error) {
    throw new ExpressionError(`is no CEL expression: ${firstLine(error)}`);
  }
}

const run = (evaluate: () => unknown) => {
  try {
    return evaluate();
  } catch (error) {
    throw new EvaluationError(firstLine(error));
  }
};

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
    made.registerOperator(`double ${operator} int`, mixed);
    made.registerOperator(`int ${operator} double`, mixed);
  }
  return made.registerOperator('double % double', (left: number, right: number) => left % right);
}

/** Refuses what cannot be held to bounds, and notes what the expression reads. */
function inspect(
  node: ASTNode,
  macroDepth: number,
  notes: { mentioned: Set<string>; patterns: Map<string, SafePattern>; allowance: Budget },
): void {
  if (node.op === 'id') notes.mentioned.add(node.args);
  let depth = macroDepth;
  if (node.op === 'rcall') {
    const name = node.args[0];
    if (name === 'matches')
      throw new ExpressionError(
        `must use matches(text, 'pattern'), which takes linear time, and not the method`,
      );
    if (iteratingMacros.has(name)) depth += 1;
    if (depth > maxMacroDepth)
      throw new ExpressionError(`nests more than ${maxMacroDepth} macros (${name} is too deep)`);
  }
  if (node.op === 'call' && node.args[0] === 'matches') {
    const pattern = node.args[1][1];
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
      throw new ExpressionError('must give `matches` its pattern as a literal');
    notes.patterns.set(pattern.args, patternOf(pattern.args, notes.allowance));
  }
  for (const child of childrenOf(node)) inspect(child, depth, notes);
}

function patternOf(source: string, allowance: Budget): SafePattern {
  try {
    return compilePattern(source, allowance);
  } catch (error) {
    if (error instanceof PatternError) throw new ExpressionError(`has a pattern that ${error.message}`);
    throw error;
  }
}

/** The nodes directly below one, whatever its kind: arguments are nodes, texts, or lists of either. */
function childrenOf(node: ASTNode): ASTNode[] {
  const isNode = (value: unknown): value is ASTNode =>
    typeof value === 'object' && value !== null && 'op' in value;
  const args: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return args.filter(isNode);
}
