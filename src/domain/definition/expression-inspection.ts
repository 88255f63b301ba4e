import type { ASTNode } from '@marcbachmann/cel-js';
import type { Budget } from './budget.js';
import { compilePattern, PatternError, type SafePattern } from './pattern.js';

const maxMacroDepth = 2;

/** An expression is refused; the message says why. */
export class ExpressionError extends Error {}

/** Macros that evaluate an expression for each item, and how many arguments they take. */
const iteratingMacros: Record<string, number[]> = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
};

const functions: Record<string, number[]> = {
  bool: [1],
  double: [1],
  duration: [1],
  dyn: [1],
  has: [1],
  int: [1],
  matches: [2],
  size: [1],
  string: [1],
  timestamp: [1],
  type: [1],
};

/** Left out: bytes, times in other zones than UTC (slow), and what searches from the end (quadratic). */
const methods: Record<string, number[]> = {
  contains: [1],
  endsWith: [1],
  getDate: [0],
  getDayOfMonth: [0],
  getDayOfWeek: [0],
  getDayOfYear: [0],
  getFullYear: [0],
  getHours: [0],
  getMilliseconds: [0],
  getMinutes: [0],
  getMonth: [0],
  getSeconds: [0],
  indexOf: [1],
  join: [0, 1],
  lowerAscii: [0],
  size: [0],
  split: [1],
  startsWith: [1],
  substring: [1, 2],
  trim: [0],
  upperAscii: [0],
};

interface Notes {
  mentioned: Set<string>;
  patterns: Map<string, SafePattern>;
  allowance: Budget;
}

/** Whether a method call evaluates its last arguments for each item of its receiver. */
export function isIteratingMacro(name: string): boolean {
  return Object.hasOwn(iteratingMacros, name);
}

/**
 * Refuses what cannot be held to bounds: everything that is not known to be harmless.
 * Compiles the patterns that the expression names into `patterns`.
 * @returns the names of the variables that it reads
 * @throws {ExpressionError}
 */
export function inspectExpression(
  ast: ASTNode,
  patterns: Map<string, SafePattern>,
  allowance: Budget,
): Set<string> {
  const notes: Notes = { mentioned: new Set(), patterns, allowance };
  inspect(ast, 0, notes);
  return notes.mentioned;
}

function inspect(node: ASTNode, macroDepth: number, notes: Notes): void {
  if (node.op === 'id') notes.mentioned.add(node.args);
  if (node.op === 'value' && typeof node.args === 'object' && node.args !== null) {
    throw new ExpressionError('uses bytes or unsigned integers, which are not supported');
  }
  if (node.op === 'call') inspectCall(node.args[0], node.args[1], notes);
  if (node.op !== 'rcall') {
    for (const child of childrenOf(node)) inspect(child, macroDepth, notes);
    return;
  }
  const [name, receiver, args] = node.args;
  inspectMethod(name, receiver, args);
  inspect(receiver, macroDepth, notes);
  const inner = macroDepth + (isIteratingMacro(name) ? 1 : 0);
  if (inner > maxMacroDepth) {
    throw new ExpressionError(`nests more than ${maxMacroDepth} macros (${name} is too deep)`);
  }
  for (const arg of args) inspect(arg, inner, notes);
}

function inspectCall(name: string, args: ASTNode[], notes: Notes): void {
  requireKnown(functions, name, args.length);
  if (name === 'duration' && !isTextLiteral(args[0])) {
    throw new ExpressionError('must give `duration` a literal, such as duration("1h30m")');
  }
  if (name !== 'matches') return;
  const pattern = args[1];
  if (!isTextLiteral(pattern)) throw new ExpressionError('must give `matches` its pattern as a literal');
  notes.patterns.set(pattern.args, patternOf(pattern.args, notes.allowance));
}

function inspectMethod(name: string, receiver: ASTNode, args: ASTNode[]): void {
  if (name === 'matches') {
    throw new ExpressionError(
      `must use matches(text, 'pattern'), which takes linear time, and not the method`,
    );
  }
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel') return;
  requireKnown(isIteratingMacro(name) ? iteratingMacros : methods, name, args.length);
}

function requireKnown(known: Record<string, number[]>, name: string, count: number): void {
  if (Object.hasOwn(known, name) && known[name]?.includes(count)) return;
  throw new ExpressionError(`calls ${name} with ${count} arguments, which is not supported`);
}

function isTextLiteral(node: ASTNode | undefined): node is ASTNode & { op: 'value'; args: string } {
  return node?.op === 'value' && typeof node.args === 'string';
}

function patternOf(source: string, allowance: Budget): SafePattern {
  try {
    return compilePattern(source, allowance);
  } catch (error) {
    if (error instanceof PatternError) throw new ExpressionError(`has a pattern that ${error.message}`);
    throw error;
  }
}

/**
 * cel-js puts the line of the expression into the message of each error, which takes time for every character
 * before and in it. An empty first line, at which all errors are said to be, spares that.
 */
export function quietErrors(node: ASTNode): void {
  (node as { pos: number }).pos = 0;
  for (const child of childrenOf(node)) quietErrors(child);
}

/** The nodes directly below one, whatever its kind: arguments are nodes, texts, or lists of either. */
function childrenOf(node: ASTNode): ASTNode[] {
  const isNode = (value: unknown): value is ASTNode =>
    typeof value === 'object' && value !== null && 'op' in value;
  const args: unknown[] = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return args.filter(isNode);
}
