import { setFlagsFromString } from 'node:v8';

/**
 * How much the heap may grow over what is alive before V8 looks for what is not. By itself it lets a small heap grow
 * fourfold: what comes and goes in the cache of reads, old by then, would take four times the room that it has.
 */
export const HEAP_FLAGS = ['--heap-growing-percent=50'];

/** Bounds the memory of this process; to be called before it has grown. */
export function boundHeap(): void {
  for (const flag of HEAP_FLAGS) {
    setFlagsFromString(flag);
  }
}
