import { Api } from '../client.js';
import type { Line } from '../ndjson.js';
import { type Reading, readLines } from '../readings.js';
import type { Service } from '../service.js';
import { commit, openChangeset, stageLines, validate } from './changeset.js';
import { grouped, type Stage } from './stage.js';

/** A service to copy to: one of its own with an empty database, or the same one. */
export interface Elsewhere {
  service: Service;
  /** As the author of a sentence would call it. */
  name: string;
  token: string | null;
}

/** The export of the one is the import of the other: its lines run from socket to socket. */
export async function copyElsewhere(stage: Stage, elsewhere: Elsewhere): Promise<void> {
  const { api, screen, claims, timings } = stage;
  const collection = `${stage.collection}-copy`;
  const there = { screen, claims, timings, api: new Api(elsewhere.service.url, elsewhere.token) };
  const members = stage.after.features.size;
  const name = `export to ${elsewhere.name}`;
  screen.heading(`7  Exported, and imported into ${elsewhere.name}`);

  const { body } = await api.call<{ definition: unknown }>('GET', `/v1/collections/${stage.collection}`);
  await there.api.call('PUT', `/v1/collections/${collection}`, { body: body.definition, expect: 201 });
  const id = await openChangeset(there, `copy of ${stage.collection}`);
  const exported = await api.receive(`/v1/collections/${stage.collection}/records`);
  await stageLines(there, id, renamed(exported.lines, collection), { name, staged: members, unchanged: 0 });
  const receipt = await validate(there, id, { name, members });
  await commit(there, id, { name, members, receipt });

  const [here, copy] = [await readLines(api, stage.collection), await readLines(there.api, collection)];
  claims.equal([copy.records.length, differing(here, copy)], [members, []], sameDigests(members));
}

function sameDigests(members: number): string {
  return `Each of the ${grouped(members)} records has the same digest here and there`;
}

async function* renamed(lines: AsyncIterable<Line>, collection: string): AsyncGenerator<Line> {
  for await (const line of lines) {
    yield { ...line, collection };
  }
}

/** The keys of records that are not the same, or not there, in both. */
function differing(here: Reading, there: Reading): string[] {
  const left = new Map(here.records);
  const right = new Map(there.records);
  return [...new Set([...left.keys(), ...right.keys()])].filter((key) => left.get(key) !== right.get(key));
}
