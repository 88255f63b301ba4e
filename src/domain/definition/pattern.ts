import { RE2JS } from 're2js';
import { Budget } from './budget.js';

const maxSourceLength = 1_000;
const maxProgramSize = 2_000;
/** What compiling one pattern may cost, and what compiling all patterns of a definition may. */
const maxWork = 100_000;
const maxWorkTogether = 400_000;
/** Below this size the automaton has so few states that its size does not matter. */
const smallProgramSize = 24;

/** A pattern is refused; the message says why. */
export class PatternError extends Error {}

/** A regular expression that takes linear time for any text. */
export interface SafePattern {
  test(text: string): boolean;
  /** What testing a text of `length` may cost, in units of `Budget`. */
  cost(length: number): number;
}

/**
 * Compiles a pattern for RE2, which has no look-around and no back-references and therefore no catastrophic
 * backtracking. Written as for JSON Schema (ECMA-262) or CEL, unanchored; `\s` and `\w` know ASCII only.
 * `allowance` is what all patterns of a definition share.
 * @throws {PatternError}
 */
export function compilePattern(source: string, allowance: Budget): SafePattern {
  if (source.length > maxSourceLength) throw new PatternError(`is longer than ${maxSourceLength} characters`);
  const work = source.length * repetitionFactor(source);
  if (work > maxWork) throw new PatternError('is too large: its repetitions multiply');
  if (work > allowance.left) throw new PatternError('is too large together with the other patterns');
  allowance.spend(work);
  const program = compileProgram(source);
  const size = program.programSize();
  if (size > maxProgramSize) throw new PatternError('is too large: its repetitions multiply');
  const unitsPerCharacter = size <= smallProgramSize ? 1 : size;
  return {
    test: (text) => program.test(text),
    cost: (length) => 1 + length * unitsPerCharacter,
  };
}

export function patternAllowance(): Budget {
  return new Budget(maxWorkTogether);
}

/** How often a part of the pattern may be repeated in its program, at most; RE2 refuses more than 1,000. */
function repetitionFactor(source: string): number {
  let factor = 1;
  for (const [, least, most] of source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    factor *= Math.max(Number(least), Number(most ?? 0), 1);
  }
  return Math.min(factor, 1_000);
}

function compileProgram(source: string): RE2JS {
  // RE2JS reads \k as the letter k, which would change the meaning in silence.
  if (/(?:^|[^\\])(?:\\\\)*\\(?:k|[1-9])/.test(source)) {
    throw new PatternError('uses a back-reference, which is not supported');
  }
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    if (/\(\?<?[=!]/.test(source)) throw new PatternError('uses look-around, which is not supported');
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    throw new PatternError(`is no regular expression that is supported: ${reason.slice(0, 200)}`);
  }
}
