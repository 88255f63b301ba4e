import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { HEAP_FLAGS } from '../../src/start/heap.js';

const runFile = promisify(execFile);

/** Keeps the newest of many texts, as the cache of reads does, and tells how many bytes the heap had at most. */
const program = `
  const kept = new Map();
  let most = 0;
  for (let n = 0; n < 200_000; n += 1) {
    kept.set(n, Buffer.alloc(600, 120).toString('latin1'));
    kept.delete(n - 50_000);
    if (n % 1_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
  }
  console.log(most);`;

async function heapOf(flags: string[]): Promise<number> {
  const { stdout } = await runFile(process.execPath, [...flags, '--eval', program]);
  return Number(stdout);
}

test('the heap of a process that keeps and forgets is bounded by flags that this Node has', async () => {
  const [bounded, unbounded] = [await heapOf(HEAP_FLAGS), await heapOf([])];
  expect(bounded).toBeLessThan(0.8 * unbounded);
});
