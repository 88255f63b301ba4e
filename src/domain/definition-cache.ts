import { type CompiledDefinition, compileDefinition } from './definition/compile.js';

/** Definitions kept compiled; the least recently used go first. */
const maxEntries = 500;

/** Compiled definitions by id. Definitions are immutable, so that an entry can never be out of date. */
export class DefinitionCache {
  readonly #entries = new Map<number, CompiledDefinition>();

  /** The definition with this id, if it is here already. */
  find(id: number): CompiledDefinition | undefined {
    const compiled = this.#entries.get(id);
    return compiled && this.#keep(id, compiled);
  }

  get(definition: { definitionId: number; definitionContent: string }): CompiledDefinition {
    const { definitionId, definitionContent } = definition;
    return (
      this.find(definitionId) ?? this.#keep(definitionId, compileDefinition(JSON.parse(definitionContent)))
    );
  }

  #keep(id: number, compiled: CompiledDefinition): CompiledDefinition {
    this.#entries.delete(id);
    this.#entries.set(id, compiled);
    if (this.#entries.size > maxEntries) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    return compiled;
  }
}
