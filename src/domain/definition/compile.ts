import type { JsonObject } from '../../lib/json-value.js';
import type { Definition } from '../collection.js';
import type { Failure } from '../failure.js';
import type { ChangeOperation } from '../record.js';
import {
  inspectConstraints,
  type ReferenceValue,
  referenceReader,
  type UniqueValue,
  uniqueReader,
} from './constraints.js';
import { DefinitionError } from './definition-error.js';
import { type MergeKeyReader, mergeKeyReader } from './merge-keys.js';
import { patternAllowance } from './pattern.js';
import { compileRules } from './rules.js';
import { compileSchema } from './schema-compile.js';

export { DefinitionError } from './definition-error.js';

/** A change of one record, as the definition judges it. */
export interface JudgedChange {
  /** null on a deletion. */
  data: JsonObject | null;
  /** The committed data, or null. */
  current: JsonObject | null;
  key: string;
  operation: ChangeOperation;
}

export interface CompiledDefinition {
  /**
   * All failures of schema, rules and reference values; whether values are unique and references lead to
   * live records is a question to the store. Pointers point into `data`. Never throws, and ends after a fixed
   * amount of work (`schema-limit`, `rule-limit`). A deletion is judged only by rules that mention `operation`.
   * `work` is what it took in units, counted and not timed, alike on every machine: at least 1, some ten
   * nanoseconds each as a rule.
   */
  judge(input: JudgedChange): { errors: Failure[]; warnings: Failure[]; work: number };
  uniqueValues(data: JsonObject): UniqueValue[];
  references(data: JsonObject): ReferenceValue[];
  /** Whether judging looks at `current`; null will do where it does not. */
  looksAtCurrent: boolean;
  /** Whether records hold unique values or references at all. */
  hasTies: boolean;
  /** The lists of JSON Pointers whose values together are unique. */
  uniqueLists: string[][];
  /** Distinct people who have to approve a change; 0 where nobody has to. */
  approvalsRequired: number;
  /** The member that identifies the items of the array at this place in `data`, as the schema's `mergeKey` says. */
  mergeKeyAt: MergeKeyReader;
}

/**
 * Compiles a definition, which is hostile until this has returned.
 * @throws {DefinitionError} with all that is wrong; pointers point into the definition.
 */
export function compileDefinition(definition: Definition): CompiledDefinition {
  const failures: Failure[] = inspectConstraints(definition);
  const patterns = patternAllowance();
  const judgeSchema = collect(failures, () => compileSchema(definition.schema ?? {}, patterns));
  const rules = collect(failures, () => compileRules(definition.rules ?? [], patterns));
  if (failures.length > 0 || judgeSchema === null || rules === null) throw new DefinitionError(failures);
  const references = referenceReader(definition.references ?? []);
  return {
    judge(input) {
      const { data } = input;
      const bySchema = data === null ? null : judgeSchema(data);
      const byRules = rules.judge({ ...input });
      const found = [
        ...(bySchema?.failures ?? []),
        ...(data === null ? [] : references.judge(data)),
        ...byRules.failures,
      ];
      return {
        errors: found.filter(({ severity }) => severity !== 'warning'),
        warnings: found.filter(({ severity }) => severity === 'warning'),
        work: 1 + (bySchema?.work ?? 0) + byRules.work,
      };
    },
    uniqueValues: uniqueReader(definition.unique ?? []),
    references: references.read,
    looksAtCurrent: rules.mentionCurrent,
    hasTies: (definition.unique ?? []).length + (definition.references ?? []).length > 0,
    uniqueLists: definition.unique ?? [],
    approvalsRequired: definition.approvals?.required ?? 0,
    mergeKeyAt: mergeKeyReader(definition.schema ?? {}),
  };
}

function collect<Result>(failures: Failure[], compile: () => Result): Result | null {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    failures.push(...error.failures);
    return null;
  }
}
