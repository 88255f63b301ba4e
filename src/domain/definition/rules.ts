import { parsePointer } from '../../lib/json-pointer.js';
import type { Rule } from '../collection.js';
import type { Failure } from '../failure.js';
import { Budget, BudgetExceeded } from './budget.js';
import { DefinitionError } from './definition-error.js';
import { compileExpression, EvaluationError, type Expression, type Variables } from './expression.js';
import { ExpressionError } from './expression-inspection.js';

const maxRules = 100;
const maxIdLength = 100;
const maxMessageLength = 1_000;
/** For all rules of one record together, in the worst case. */
const maxUnits = 2_000_000;

/** What judging found, and the units of work that it took. */
export interface Judged {
  failures: Failure[];
  work: number;
}

interface CompiledRule {
  rule: Rule;
  assert: Expression;
  when: Expression | null;
  mentionsOperation: boolean;
  mentionsCurrent: boolean;
}

export interface CompiledRules {
  judge(input: Variables): Judged;
  /** Whether any of them looks at the committed data. */
  mentionCurrent: boolean;
}

/**
 * Compiles business rules: CEL over `data`, `current` (committed data or null), `key` and `operation`.
 * On a deletion `data` is null, and only the rules are judged that mention `operation`: a rule that does not
 * was written about content. What a rule reads but is not there is a failure `rule-error`; use has(), or `when`.
 * @throws {DefinitionError}
 */
export function compileRules(rules: Rule[], patterns: Budget): CompiledRules {
  const failures: Failure[] = [];
  const compiled = rules
    .slice(0, maxRules)
    .flatMap((rule, index) => compileRule(rule, index, rules, patterns, failures));
  if (rules.length > maxRules) {
    failures.push({
      pointer: '/rules',
      code: 'rule-invalid',
      message: `must hold at most ${maxRules} rules`,
    });
  }
  if (failures.length > 0) throw new DefinitionError(failures);
  const budget = new Budget(maxUnits);
  return {
    judge: (input) => judge(compiled, input, budget),
    mentionCurrent: compiled.some(({ mentionsCurrent }) => mentionsCurrent),
  };
}

function compileRule(
  rule: Rule,
  index: number,
  rules: Rule[],
  patterns: Budget,
  failures: Failure[],
): CompiledRule[] {
  const refuse = (member: string, message: string) =>
    failures.push({ pointer: `/rules/${index}/${member}`, code: 'rule-invalid', message });
  if (rule.id.length === 0 || rule.id.length > maxIdLength)
    refuse('id', `must have 1 to ${maxIdLength} characters`);
  if (rules.findIndex(({ id }) => id === rule.id) < index) refuse('id', 'is the id of another rule');
  if (rule.message.length === 0 || rule.message.length > maxMessageLength) {
    refuse('message', `must have 1 to ${maxMessageLength} characters`);
  }
  if (rule.pointer !== undefined && parsePointer(rule.pointer) === null)
    refuse('pointer', 'must be a JSON Pointer');
  const mentioned = new Set<string>();
  const compileMember = (member: 'assert' | 'when', text: string): Expression | null => {
    try {
      const expression = compileExpression(text, patterns);
      for (const name of expression.mentioned) mentioned.add(name);
      return expression;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      refuse(member, error.message);
      return null;
    }
  };
  const assert = compileMember('assert', rule.assert);
  const when = rule.when === undefined ? null : compileMember('when', rule.when);
  if (assert === null) return [];
  const [mentionsOperation, mentionsCurrent] = [mentioned.has('operation'), mentioned.has('current')];
  return [{ rule, assert, when, mentionsOperation, mentionsCurrent }];
}

function judge(rules: CompiledRule[], input: Variables, budget: Budget): Judged {
  const failures: Failure[] = [];
  // What is refused for its worst case is not run, so it is no work.
  let work = 0;
  budget.refill();
  for (const compiled of rules) {
    if (input.operation === 'delete' && !compiled.mentionsOperation) continue;
    try {
      const evaluate = (expression: Expression) => expression.evaluate(input, budget);
      const failure = judgeRule(compiled, evaluate);
      if (failure !== null) failures.push(failure);
      work = budget.spent;
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      const message = `the rules are too much work for this record; rule ${compiled.rule.id} was the last`;
      failures.push({ pointer: '', code: 'rule-limit', rule: compiled.rule.id, severity: 'error', message });
      break;
    }
  }
  return { failures, work };
}

function judgeRule(
  { rule, assert, when }: CompiledRule,
  evaluate: (expression: Expression) => boolean,
): Failure | null {
  const { id, message, pointer = '', severity = 'error' } = rule;
  try {
    if (when !== null && !evaluate(when)) return null;
    return evaluate(assert) ? null : { pointer, code: 'rule', rule: id, severity, message };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { pointer, code: 'rule-error', rule: id, severity, message: `cannot be judged: ${error.message}` };
  }
}
