import type { Context } from '../../src/commands/context.js';
import { type Random, randomFrom } from '../support/random.js';
import { outcomesOf } from './coverage.js';
import { checkEverything } from './everything.js';
import { explain, show } from './explain.js';
import { Generator } from './generate.js';
import { type Law, laws } from './laws.js';
import { agreeing, type Finding, type Look, newMutants, survivors } from './mutants.js';
import type { Operation } from './operations.js';
import { perform } from './perform.js';
import type { Memory } from './scene.js';
import { contextOf, type Doors, idOf, newService, type Service } from './service.js';
import { emptyState, type Outcome, pendingName, type State } from './state.js';
import { differences, viewModel, viewService } from './views.js';

export interface RunOptions {
  seed: number;
  steps: number;
  instances: Context[];
  /** Replaces doors of the service by ones that misbehave. */
  replaced?: Partial<Doors>;
  /** Laws that are broken in models of their own, which go along and have to be found out. */
  broken?: Iterable<Law>;
}

/** Where the model and the service differ, with the steps that led there. */
export interface Disagreement {
  seed: number;
  step: number;
  differences: string[];
  operations: Operation[][];
}

export interface Run {
  disagreement: Disagreement | null;
  /** Planted bugs of the model that were noticed. */
  findings: Finding[];
  /** How often each operation had each outcome: `commit-pending ok`. */
  outcomes: Map<string, number>;
  commits: number;
}

/** Takes the model and the service through one random history, up to the first disagreement. */
export async function run(options: RunOptions): Promise<Run> {
  const done: Run = { disagreement: null, findings: [], outcomes: new Map(), commits: 0 };
  const operations: Operation[][] = [];
  try {
    return await runThrough(options, done, operations);
  } catch (error) {
    const differences = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    return {
      ...done,
      disagreement: { seed: options.seed, step: operations.length - 1, differences, operations },
    };
  }
}

async function runThrough(options: RunOptions, done: Run, operations: Operation[][]): Promise<Run> {
  const { seed, steps, instances, replaced = {}, broken = [] } = options;
  const random = randomFrom(seed);
  const generator = new Generator(random, instances.length);
  const service = newService(instances, replaced);
  const memory: Memory = { seen: new Map(), keyed: [] };
  const fail = (step: number, found: string[]) => {
    done.disagreement = { seed, step, differences: found, operations };
    return done;
  };
  const start = generator.start();
  // More than one state where what was sent at once may have come in orders that make no difference to see yet.
  let states = [emptyState()];
  let mutants = newMutants(broken);
  for (let step = 0; step < steps; step += 1) {
    const first = start[step];
    const batch = first ? [first] : generator.batch(someOf(states), memory);
    operations.push(batch);
    const answers = await Promise.all(batch.map((op) => perform(service, op)));
    count(done.outcomes, batch, answers);
    const explained = explain(states, laws, batch, answers);
    if ('unexplained' in explained) return fail(step, explained.unexplained);
    const { previewed, seen } = await look(service, random, someOf(explained.states));
    states = agreeing(explained.states, laws, { previewed, seen });
    if (states.length === 0)
      return fail(step, [
        ...show(batch, answers),
        ...differences(viewModel(someOf(explained.states), laws, previewed), seen),
      ]);
    const passing = survivors(mutants, batch, answers, { previewed, seen });
    done.findings.push(
      ...mutants.filter((mutant) => !passing.includes(mutant)).map(({ law }) => ({ law, seed, step })),
    );
    mutants = passing;
    await learn(service, someOf(states), memory, batch);
  }
  done.commits = someOf(states).log.length;
  let wrong: string[] = [];
  for (const state of states) {
    wrong = await checkEverything(service, state, random.below(instances.length));
    if (wrong.length === 0) return done;
  }
  return fail(steps, wrong);
}

function someOf(states: State[]): State {
  const [state] = states;
  if (state === undefined) throw new Error('there is no state left');
  return state;
}

function count(outcomes: Map<string, number>, batch: Operation[], answers: Outcome[]): void {
  for (const [index, { type }] of batch.entries()) {
    const answer = answers[index];
    const names = answer === undefined ? [] : outcomesOf(type, answer);
    for (const name of names) outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  }
}

/** Reads all lists from an instance, whichever wrote; and the preview of a changeset, if one waits. */
async function look(service: Service, random: Random, state: State): Promise<Look> {
  const inForce = [...state.collections.values()].filter((collection) => collection.inForce);
  const waiting = [...state.changesets.values()].filter((each) => ['open', 'scheduled'].includes(each.state));
  const previewed = waiting.length > 0 && random.chance(0.5) ? random.pick(waiting).title : null;
  const instance = random.below(service.instances.length);
  const collections = inForce.map(({ name }) => name);
  return { previewed, seen: await viewService(service, { instance, collections, previewed }) };
}

/** Asks for the entity tags of what is new, as clients do that go on working with it. */
async function learn(service: Service, state: State, memory: Memory, batch: Operation[]): Promise<void> {
  const context = contextOf(service, 0);
  const { getPending, getChangeset, getCollection } = service.doors;
  const remember = (name: string, stamp: string, tag: string) => {
    service.tags.set(stamp, tag);
    memory.seen.set(name, [...(memory.seen.get(name) ?? []), stamp]);
  };
  for (const { collection, key, changeset, stamp } of state.pendings) {
    if (service.tags.has(stamp)) continue;
    const id = changeset === null ? null : idOf(service, changeset);
    const { tag } = await getPending(context, { collection, key, changeset: id });
    remember(pendingName({ collection, key, changeset }), stamp, tag);
  }
  for (const { title, stamp } of state.changesets.values()) {
    if (service.tags.has(stamp)) continue;
    const { tag } = await getChangeset(context, { id: idOf(service, title) });
    remember(title, stamp, tag);
  }
  for (const { name, number, inForce } of state.collections.values()) {
    if (!inForce || service.tags.has(`${name} ${number}`)) continue;
    service.tags.set(`${name} ${number}`, (await getCollection(context, { collection: name })).tag);
  }
  for (const op of batch)
    if ('idempotencyKey' in op && op.idempotencyKey !== undefined) memory.keyed.push(op);
}
