import { type CompiledDefinition, compileDefinition } from './definition/compile.js';

/** Definitions kept compiled; the least recently used go first. */
const maxEntries = 500;

/** Compiled definitions by id. Definitions are immutable, so that an entry can never be out of date. */
export class DefinitionCache {
  readonly #entries = new Map<number, CompiledDefinition>();

  /** The definition of this id; undefined where it is to be compiled first. */
  find(definitionId: number): CompiledDefinition | undefined {
    const compiled = this.#entries.get(definitionId);
    if (compiled) this.#keep(definitionId, compiled);
    return compiled;
  }

  get(definition: { definitionId: number; definitionContent: string }): CompiledDefinition {
    const { definitionId, definitionContent } = definition;
    const compiled = this.#entries.get(definitionId) ?? compileDefinition(JSON.parse(definitionContent));
    this.#keep(definitionId, compiled);
    return compiled;
  }

  #keep(definitionId: number, compiled: CompiledDefinition): void {
    this.#entries.delete(definitionId);
    this.#entries.set(definitionId, compiled);
    if (this.#entries.size > maxEntries) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
  }
}
