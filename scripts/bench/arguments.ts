import { parseArgs } from 'node:util';
import { scenarios } from './scenarios/all.js';
import type { Sizes } from './world.js';

export interface Arguments {
  /** Names of scenarios; all of them if not given. */
  only: string[];
  sizes: Sizes;
  /** The folder that results go to. */
  out: string;
  action: 'run' | 'markdown' | 'help';
}

const WHOLE: Sizes = { rounds: 5, seconds: 3, warmUpSeconds: 1, records: 1_000_000, members: 10_000 };
const QUICK: Sizes = { rounds: 1, seconds: 1, warmUpSeconds: 0.2, records: 20_000, members: 1_000 };

export const usage = `Usage: npm run bench [-- --scenario NAME,NAME] [--quick] [--rounds 5] [--seconds 3] [--out bench-results]

Starts the service, its references and their databases, puts load on them in turns, and writes a table, results.json
and a chart of each scenario. Nothing of it depends on what else is installed; what is not there is left out and said.

  --scenario NAMES  only these: ${scenarios.map(({ id }) => id).join(', ')}
  --quick           one short round of everything, with little data: to see that it works, not to compare
  --rounds N        rounds of each scenario, of which the median counts (default ${WHOLE.rounds})
  --seconds N       length of each round of each subject (default ${WHOLE.seconds})
  --records N       records of the large store (default ${WHOLE.records.toLocaleString('en')})
  --members N       members of the large changeset (default ${WHOLE.members.toLocaleString('en')})
  --out DIR         where results go (default bench-results)
  --markdown        measures nothing, but prints the results in DIR as Markdown
  --help            prints this`;

/** @throws Error for what cannot be understood. */
export function readArguments(args: string[]): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string' },
      quick: { type: 'boolean' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      records: { type: 'string' },
      members: { type: 'string' },
      out: { type: 'string' },
      markdown: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const base = values.quick ? QUICK : WHOLE;
  const seconds = numberOf('seconds', values.seconds) ?? base.seconds;
  return {
    only: values.scenario === undefined ? [] : knownNames(values.scenario.split(',')),
    sizes: {
      rounds: wholeNumberOf('rounds', values.rounds) ?? base.rounds,
      seconds,
      warmUpSeconds: Math.min(base.warmUpSeconds, seconds),
      records: wholeNumberOf('records', values.records) ?? base.records,
      members: wholeNumberOf('members', values.members) ?? base.members,
    },
    out: values.out ?? 'bench-results',
    action: values.help ? 'help' : values.markdown ? 'markdown' : 'run',
  };
}

function knownNames(names: string[]): string[] {
  const unknown = names.filter((name) => !scenarios.some(({ id }) => id === name));
  if (unknown.length > 0) {
    throw new Error(`there is no scenario ${unknown.join(', ')}; see --help`);
  }
  return names;
}

function numberOf(name: string, text: string | undefined): number | null {
  const number = Number(text);
  if (text !== undefined && !(number > 0)) {
    throw new Error(`--${name} must be a number above 0`);
  }
  return text === undefined ? null : number;
}

function wholeNumberOf(name: string, text: string | undefined): number | null {
  const number = numberOf(name, text);
  if (number !== null && !Number.isInteger(number)) {
    throw new Error(`--${name} must be a whole number`);
  }
  return number;
}
