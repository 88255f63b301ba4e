import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readArguments } from '../../scripts/bench/arguments.js';
import { summarise } from '../../scripts/bench/figures.js';
import { applyLoad, wire } from '../../scripts/bench/load/load.js';
import { type CpuProfile, framesOf, topFunctions } from '../../scripts/bench/profile/cpu-profile.js';
import { toMarkdown } from '../../scripts/bench/report/markdown.js';
import type { Results } from '../../scripts/bench/report/results.js';
import { root } from '../support/program.js';

const TIMEOUT_MS = 120_000;
const runFile = promisify(execFile);

/** Runs `npm run bench` as a newcomer does; a failure is an answer here, not an error. */
async function runBench(...args: string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await runFile('npm', ['run', '--silent', 'bench', '--', ...args], {
      cwd: root,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe('npm run bench', () => {
  let out: string;
  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), 'diptych-bench-test-'));
  });
  afterEach(() => rm(out, { recursive: true, force: true }));

  test(
    'measures the service beside its references, and leaves a table, figures and a chart',
    async () => {
      const size = ['--quick', '--rounds', '1', '--seconds', '0.4'];
      const { code, output } = await runBench('--scenario', 'hot-reads', ...size, '--out', out);
      expect(output).not.toContain('NOT VALID');
      expect(code).toBe(0);
      expect(output).toMatch(/│ service +│/);
      expect(output).toMatch(/service : bare route, same bytes = [\d.]+/);
      expect((await readdir(out)).sort()).toEqual(['hot-reads.svg', 'results.json']);

      const results: Results = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
      expect(results.versions).toMatchObject({
        node: process.version,
        postgres: expect.stringMatching(/^\d+/),
      });
      const [scenario] = results.scenarios;
      const names = scenario?.subjects.map(({ id }) => id);
      expect(names).toEqual(expect.arrayContaining(['service', 'bare', 'join']));
      for (const { rounds, summary } of scenario?.subjects ?? []) {
        expect(rounds).toHaveLength(1);
        expect(summary.rate?.median).toBeGreaterThan(0);
        expect(summary.wrong?.max).toBe(0);
      }
      const chart = await readFile(join(out, 'hot-reads.svg'), 'utf8');
      expect(chart).toMatch(/^<svg /);
      expect(chart).toMatch(/<\/svg>\n$/);
      expect(chart.match(/<rect /g)).toHaveLength(names?.length ?? 0);

      expect(toMarkdown(results)).toContain('| bare route, same bytes |');
    },
    TIMEOUT_MS,
  );

  test('what it does not know it refuses', async () => {
    for (const args of [
      ['--scenario', 'weather'],
      ['--rounds', 'many'],
      ['--seconds', '0'],
      ['--speed', '9'],
    ]) {
      expect(() => readArguments(args)).toThrow();
    }
    const { code, output } = await runBench('--scenario', 'weather');
    expect(output).toContain('The benchmarks ended early: there is no scenario weather');
    expect(code).toBe(1);
  });
});

describe('a load', () => {
  const answerWith = async (status: number, body: string): Promise<string> => {
    const server: Server = createServer((_request, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const load = async (url: string) => {
    const next = () => wire('GET', url, '/');
    const isRight = (body: string) => body === 'right';
    return applyLoad({ url, connections: 2, requests: { type: 'single', next, isRight } }, 0.2);
  };

  test('finds nothing wrong with right answers', async () => {
    expect(await load(await answerWith(200, 'right'))).toMatchObject({ wrong: 0, rate: expect.any(Number) });
  });

  test('counts answers of another status, and those with another body', async () => {
    expect((await load(await answerWith(500, 'right'))).wrong).toBeGreaterThan(0);
    expect((await load(await answerWith(200, 'other'))).wrong).toBeGreaterThan(0);
  });
});

describe('figures', () => {
  test('of several rounds the one in the middle counts, and how far the others are from it is told', () => {
    expect(summarise([5, 1, 9, 4, 100])).toEqual({ median: 5, min: 1, max: 100, deviation: 4 });
    expect(summarise([2, 4])).toEqual({ median: 3, min: 2, max: 4, deviation: 1 });
    expect(summarise([])).toBeNull();
  });
});

describe('a profile', () => {
  const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0 });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 4] },
      { id: 2, callFrame: frame('outer'), children: [3] },
      { id: 3, callFrame: frame('inner') },
      { id: 4, callFrame: frame('(idle)') },
    ],
    samples: [2, 3, 3, 4],
    timeDeltas: [10, 20, 10, 1_000],
  };

  test('becomes a tree in which each function has the time of what it called, and waiting has none', () => {
    expect(framesOf(profile)).toEqual({
      name: 'all',
      value: 40,
      children: [{ name: 'outer', value: 40, children: [{ name: 'inner', value: 30, children: [] }] }],
    });
  });

  test('names the functions that work longest themselves', () => {
    expect(topFunctions(profile, 1)).toEqual([{ name: 'inner', part: 0.75 }]);
  });
});
