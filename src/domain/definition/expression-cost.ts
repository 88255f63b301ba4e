import type { ASTNode } from '@marcbachmann/cel-js';
import type { JsonValue } from '../../lib/json-value.js';
import { isIteratingMacro } from './expression-inspection.js';
import { charactersPerUnit, type Extent, joined, measure, ofText, scalar, within } from './extent.js';
import type { SafePattern } from './pattern.js';

/** What an error costs that &&, ||, `all` or `exists` takes no notice of: it has to be made all the same. */
const errorCost = 40;

/** What evaluating may cost at the very worst, in steps, and what is known of the result. */
interface Bound {
  cost: number;
  extent: () => Extent;
  /** The result itself, where it is a part of the data that the expression names outright. */
  value?: JsonValue | undefined;
}

interface Reckoning {
  variables: ReadonlyMap<string, Omit<Bound, 'cost'>>;
  patterns: ReadonlyMap<string, SafePattern>;
}

/**
 * The worst case of evaluating an expression on these values: every branch is taken, every list is gone
 * through to its end. Counted and not timed, so that a record is judged alike on every machine.
 */
export function boundCost(
  node: ASTNode,
  variables: Record<string, JsonValue>,
  patterns: ReadonlyMap<string, SafePattern>,
): number {
  const known = Object.entries(variables).map(([name, value]) => [name, knownAs(value)] as const);
  return bound(node, { variables: new Map(known), patterns }).cost;
}

const knownAs = (value: JsonValue) => ({ value, extent: () => measure(value) });
const result = (cost: number, extent: Extent = scalar): Bound => ({ cost, extent: () => extent });

function bound(node: ASTNode, reckoning: Reckoning): Bound {
  const visit = (child: ASTNode) => bound(child, reckoning);
  const pair = ([left, right]: [ASTNode, ASTNode]) => [visit(left), visit(right)] as const;
  switch (node.op) {
    case 'value':
      return result(1, typeof node.args === 'string' ? ofText(node.args.length) : scalar);
    case 'id':
      return { cost: 1, extent: () => scalar, ...reckoning.variables.get(node.args) };
    case '.':
    case '.?':
      return member(visit(node.args[0]), node.args[1]);
    case '[]':
    case '[?]': {
      const [object, index] = pair(node.args);
      return { cost: object.cost + index.cost + 1, extent: object.extent };
    }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [left, right] = pair(node.args);
      return result(left.cost + right.cost + Math.min(left.extent().size, right.extent().size));
    }
    case 'in': {
      const [needle, list] = pair(node.args);
      const { length, item } = list.extent();
      return result(needle.cost + list.cost + length * (1 + Math.min(needle.extent().size, item)));
    }
    case '+': {
      const [left, right] = pair(node.args);
      const extent = node.args.some(isNumber) ? scalar : joined([left.extent(), right.extent()]);
      return result(left.cost + right.cost + extent.size, extent);
    }
    case '-':
    case '*':
    case '/':
    case '%': {
      const [left, right] = pair(node.args);
      return result(left.cost + right.cost + 1);
    }
    case '&&':
    case '||': {
      const [left, right] = pair(node.args);
      return result(left.cost + right.cost + errorCost);
    }
    case '!_':
    case '-_':
      return result(visit(node.args).cost + 1);
    case '?:': {
      const [test, yes, no] = node.args;
      const branches = [visit(yes), visit(no)];
      return result(visit(test).cost + costOf(branches), joined(branches.map((branch) => branch.extent())));
    }
    case 'list':
      return literal(node.args.map(visit));
    case 'map':
      return literal(node.args.flat().map(visit));
    case 'call':
    case 'rcall':
      return boundCall(node, reckoning);
  }
}

function member(object: Bound, name: string): Bound {
  const { value } = object;
  const cost = object.cost + 1;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { cost, extent: object.extent };
  return { cost, ...knownAs((Object.hasOwn(value, name) ? value[name] : null) ?? null) };
}

function boundCall(node: ASTNode & { op: 'call' | 'rcall' }, reckoning: Reckoning): Bound {
  const name = node.args[0];
  const args = node.op === 'call' ? node.args[1] : node.args[2];
  const [variable, ...bodies] = args;
  if (node.op === 'rcall' && variable?.op === 'id') {
    if (isIteratingMacro(name)) return boundMacro(name, node.args[1], variable.args, bodies, reckoning);
    if (name === 'bind') return boundBinding(variable.args, bodies, reckoning);
  }
  const given = (node.op === 'call' ? args : [node.args[1], ...args]).map((child) => bound(child, reckoning));
  const cost = 1 + costOf(given);
  const pattern =
    name === 'matches' && args[1]?.op === 'value' ? reckoning.patterns.get(String(args[1].args)) : undefined;
  if (pattern) return result(cost + pattern.cost(given[0]?.extent().text ?? 0));
  return boundFunction(
    name,
    cost,
    given.map((each) => each.extent()),
  );
}

function boundFunction(name: string, cost: number, [subject = scalar, ...others]: Extent[]): Bound {
  const text = others[0]?.text ?? 0;
  switch (name) {
    case 'has':
      return result(cost);
    case 'size':
      return result(cost + subject.length + subject.text / charactersPerUnit);
    case 'contains':
    case 'indexOf':
      return result(cost + searchCost(subject.text, text));
    case 'split': {
      const extent = within(subject);
      return result(cost + searchCost(subject.text, text) + extent.size, extent);
    }
    case 'join': {
      const extent = ofText((subject.size + 1) * charactersPerUnit + subject.length * text);
      return result(cost + subject.size + extent.size, extent);
    }
    default: {
      // Any other function reads its arguments once.
      const extent = joined([subject, ...others]);
      return result(cost + extent.size, extent);
    }
  }
}

/** Engines search in linear time for short texts only; a long one may cost the product of the lengths. */
function searchCost(text: number, part: number): number {
  return part <= 200 ? text / charactersPerUnit : (text * part) / 64;
}

function boundMacro(
  name: string,
  list: ASTNode,
  variable: string,
  bodies: ASTNode[],
  reckoning: Reckoning,
): Bound {
  const range = bound(list, reckoning);
  const { item, length, text } = range.extent();
  const each = { size: item, length: Math.min(length, item), item, text };
  const variables = new Map(reckoning.variables).set(variable, { extent: () => each });
  const body = literal(bodies.map((child) => bound(child, { ...reckoning, variables })));
  const failing = name === 'all' || name === 'exists' ? errorCost : 0;
  const cost = range.cost + (length + 1) * (1 + failing + body.cost);
  if (name === 'filter') return { cost, extent: range.extent };
  if (name !== 'map') return result(cost);
  const made = body.extent();
  return result(cost, {
    size: 1 + length * made.size,
    length: Math.max(length, made.length),
    item: made.size,
    text: made.text,
  });
}

function boundBinding(variable: string, [init, body]: ASTNode[], reckoning: Reckoning): Bound {
  if (init === undefined || body === undefined) return result(1);
  const value = bound(init, reckoning);
  const variables = new Map(reckoning.variables).set(variable, value);
  const inner = bound(body, { ...reckoning, variables });
  return { ...inner, cost: value.cost + inner.cost };
}

const isNumber = (node: ASTNode) => node.op === 'value' && typeof node.args !== 'string';
const costOf = (bounds: Bound[]) => bounds.reduce((sum, each) => sum + each.cost, 0);

function literal(items: Bound[]): Bound {
  const extents = items.map((item) => item.extent());
  const { size } = joined(extents);
  return result(1 + costOf(items), {
    size: 1 + size,
    length: Math.max(items.length, ...extents.map((extent) => extent.length)),
    item: Math.max(1, ...extents.flatMap((extent) => [extent.size, extent.item])),
    text: Math.max(0, ...extents.map((extent) => extent.text)),
  });
}
