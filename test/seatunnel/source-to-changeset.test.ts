import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/program.js';
import { size } from '../support/size.js';
import { startJob } from './support/job.js';
import { type Service, startService, workDirectory } from './support/service.js';

interface Product {
  row_kind: string;
  id: number;
  name: string;
  price: number;
  active: boolean;
}

const names = ['Grinder', 'Käse ☃ 𝄞', 'a "quote", a \\ and a / too', "it's\tone\nand two", 'null'];

test('source → Http sink: what the rows make is staged, unseen until it is validated and committed, and a repeat changes nothing', async () => {
  const service = await startWithProducts();
  const rows = await exampleRows();
  const many = Array.from({ length: size(200, 10_000) }, (_, index): Product => {
    const name = names[index % names.length] ?? '';
    return { row_kind: '+I', id: 100 + index, name, price: index / 8, active: index % 3 === 0 };
  });
  const changeset = await openChangeset(service);
  for (let time = 1; time <= 2; time += 1) {
    expect(await load(service, changeset, [...rows, ...many])).toEqual([]);
  }

  expect(await liveOf(service)).toEqual([]);
  const path = `/v1/changesets/${changeset}`;
  const { body: verdict } = await service.send<Verdict>('POST', `${path}/validate`, {});
  expect(verdict).toMatchObject({ valid: true, errors: [] });
  const { receipt } = verdict;
  const { body: commit } = await service.send<{ changeCount: number }>('POST', `${path}/commit`, { receipt });

  // Of the example the kettle is deleted again, and the grinder has its second price.
  const filter = { id: 3, name: 'Café filter, 100 sheets', price: 3.25, active: true };
  const grinder = { id: 1, name: 'Grinder', price: 189.5, active: true };
  const expected = [grinder, filter, ...many.map(({ row_kind: _, ...product }) => product)];
  expect(commit.changeCount).toBe(expected.length);
  expect(await liveOf(service)).toEqual(expected);
});

test('source → Http sink: the job says nothing of a row that was refused (apache/seatunnel#12310), the changeset does', async () => {
  const service = await startWithProducts();
  const changeset = await openChangeset(service);
  const row = { row_kind: '+I', name: 'Grinder', price: 1, active: true };
  const errors = await load(service, changeset, [
    { ...row, id: 1 },
    { ...row, id: 2, row_kind: '+X' },
    { ...row, id: 3, price: -1 },
  ]);

  expect(errors).toEqual([expect.stringMatching(/status code:\[422\].*rows-refused/)]);
  const { body } = await service.send<{ items: { key: string }[] }>(
    'GET',
    `/v1/changesets/${changeset}/pending`,
  );
  expect(body.items.map(({ key }) => key)).toEqual(['1', '3']);
  const { body: verdict } = await service.send<Verdict>('POST', `/v1/changesets/${changeset}/validate`, {});
  expect(verdict).toMatchObject({ valid: false, errors: [{ key: '3', pointer: '/data/price' }] });
});

interface Verdict {
  valid: boolean;
  errors: object[];
  receipt: string;
}

async function startWithProducts(): Promise<Service> {
  const service = await startService();
  const file = join(root, 'examples/seatunnel/source-to-changeset/collection.json');
  await service.send('PUT', '/v1/collections/products', JSON.parse(await readFile(file, 'utf8')));
  return service;
}

async function exampleRows(): Promise<Product[]> {
  const file = join(root, 'examples/seatunnel/source-to-changeset/rows/products.ndjson');
  return (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function openChangeset(service: Service): Promise<string> {
  const { body } = await service.send<{ id: string }>('POST', '/v1/changesets', { title: 'Products' });
  return body.id;
}

/** Runs the job on such rows to its end, which has to be a good one, and answers the errors that it logged. */
async function load(service: Service, changeset: string, rows: Product[]): Promise<string[]> {
  const directory = await workDirectory();
  const source = join(directory, 'rows');
  await mkdir(source);
  await writeFile(join(source, 'products.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const job = startJob({
    version: '2.3.8',
    file: 'source-to-changeset/job.conf',
    directory,
    settings: { DIPTYCH_URL: service.url, CHANGESET: changeset, SOURCE_DIRECTORY: source },
  });
  await job.done();
  return job.errors();
}

/** The data of the live records, by id. */
async function liveOf(service: Service): Promise<Omit<Product, 'row_kind'>[]> {
  const response = await fetch(`${service.url}/v1/collections/products/records`, {
    headers: { accept: 'application/x-ndjson' },
  });
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line).data).toSorted((one, other) => one.id - other.id);
}
