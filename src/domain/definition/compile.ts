// Stand-in of a few minutes, so that the other floors can be tried; replaced whole by the founder who writes definitions.
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../lib/json-value.js';
import type { Definition } from '../collection.js';
import type { Failure } from '../failure.js';
import type { ChangeOperation } from '../record.js';

export class DefinitionError extends Error {
  constructor(readonly failures: Failure[]) {
    super('definition refused');
  }
}

export interface CompiledDefinition {
  judge(input: {
    data: JsonObject | null;
    current: JsonObject | null;
    key: string;
    operation: ChangeOperation;
  }): { errors: Failure[]; warnings: Failure[] };
  uniqueValues(data: JsonObject): { constraint: string; pointer: string; value: string }[];
  references(data: JsonObject): { pointer: string; constraint: string; collection: string; key: string }[];
}

export function compileDefinition(definition: Definition): CompiledDefinition {
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(definition.schema ?? {});
  const at = (data: JsonObject, pointer: string) => data[pointer.slice(1)];
  return {
    judge({ data }) {
      if (data === null || validate(data)) return { errors: [], warnings: [] };
      return {
        errors: (validate.errors ?? []).map((error) => ({
          pointer: error.instancePath,
          code: error.keyword,
          message: error.message ?? '',
        })),
        warnings: [],
      };
    },
    uniqueValues: (data) =>
      (definition.unique ?? []).flatMap((pointers) => {
        const values = pointers.map((pointer) => at(data, pointer));
        if (values.some((value) => value === undefined || value === null)) return [];
        return [
          { constraint: JSON.stringify(pointers), pointer: pointers[0] ?? '', value: JSON.stringify(values) },
        ];
      }),
    references: (data) =>
      (definition.references ?? []).flatMap(({ pointer, collection }) => {
        const value = at(data, pointer);
        return typeof value === 'string' ? [{ pointer, constraint: pointer, collection, key: value }] : [];
      }),
  };
}
