import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../lib/json-value.js';
import type { Failure } from '../failure.js';
import { type Budget, BudgetExceeded } from './budget.js';
import { DefinitionError } from './definition-error.js';
import { compilePattern, patternAllowance } from './pattern.js';
import type { Judged } from './rules.js';
import { failuresFrom } from './schema-failures.js';
import { formatChecks } from './schema-formats.js';
import { inspectSchema } from './schema-inspection.js';
import { ownKeywords } from './schema-keywords.js';
import {
  costKeywordDefinition,
  maxSchemaErrors,
  SchemaMeter,
  TooManyErrors,
  withCosts,
} from './schema-meter.js';

/** What it takes to find a failure and to say it. */
const unitsPerFailure = 50;

/** All that a schema finds wrong with `data`; a schema never throws and never takes long. */
export type SchemaJudge = (data: JsonObject) => Judged;

/**
 * Compiles a JSON Schema 2020-12 that a stranger wrote: inspected first, then compiled by an Ajv of its own
 * with every evaluated subschema counted, so that judging ends after a fixed amount of work.
 * @throws {DefinitionError}
 */
export function compileSchema(schema: JsonObject, patterns: Budget): SchemaJudge {
  const failures = inspectSchema(schema, patterns);
  if (failures.length > 0) throw new DefinitionError(failures);
  const meter = new SchemaMeter();
  const validate = compileWithAjv(schema, meter);
  const judge = (data: JsonObject): Failure[] => {
    meter.refill();
    try {
      return validate(data) ? [] : failuresFrom(validate.errors ?? []);
    } catch (error) {
      if (error instanceof TooManyErrors) {
        const message = `has more than ${maxSchemaErrors} failures; the first of them are listed`;
        return [...failuresFrom(error.errors), limitFailure(message)];
      }
      if (error instanceof BudgetExceeded || error instanceof RangeError) {
        return [limitFailure('is too much work to judge by this schema: simplify one of them')];
      }
      throw error;
    }
  };
  return (data) => {
    const failures = judge(data);
    return { failures, work: meter.spent + failures.length * unitsPerFailure };
  };
}

function limitFailure(message: string): Failure {
  return { pointer: '', code: 'schema-limit', message, severity: 'error' };
}

function compileWithAjv(schema: JsonObject, meter: SchemaMeter) {
  const ajv = new Ajv2020({
    // The inspection is stricter than Ajv's strict mode, and says where.
    strict: false,
    meta: false,
    validateSchema: false,
    logger: false,
    allErrors: true,
    verbose: true,
    // Data may have members named `constructor` and the like.
    ownProperties: true,
    // Inlined references multiply the generated code.
    inlineRefs: false,
    loopRequired: 20,
    code: { regExp: Object.assign(meteredPattern(meter), { code: 'pattern' }) },
  });
  for (const [name, validate] of formatChecks) ajv.addFormat(name, { type: 'string', validate });
  ajv.addKeyword(costKeywordDefinition(meter));
  for (const definition of ownKeywords(meter)) {
    ajv.removeKeyword(definition.keyword as string);
    ajv.addKeyword(definition);
  }
  try {
    return ajv.compile(withCosts(schema));
  } catch (error) {
    const message = `cannot be compiled: ${error instanceof Error ? error.message.slice(0, 200) : ''}`;
    throw new DefinitionError([{ pointer: '/schema', code: 'schema-invalid', message }]);
  }
}

/** An engine for Ajv. Without `toString`, all patterns would share the first one: Ajv tells them apart by it. */
function meteredPattern(meter: SchemaMeter) {
  // Ajv asks for no other patterns than those that the inspection has let through.
  const allowance = patternAllowance();
  return (source: string) => {
    const pattern = compilePattern(source, allowance);
    return {
      test: (text: string) => {
        meter.spend(pattern.cost(text.length));
        return pattern.test(text);
      },
      toString: () => JSON.stringify(source),
    };
  };
}
