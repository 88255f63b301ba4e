import { randomBytes } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import pg from 'pg';
import { onTestFinished } from 'vitest';

type Row = Record<string, string | null>;

/** What a reader of change data capture is sent of one row. */
export interface FollowedChange {
  table: string;
  op: 'insert' | 'update' | 'delete';
  before: Row | null;
  after: Row | null;
}

/** Follows a publication through a logical replication slot, by the protocol that Debezium reads (pgoutput). */
export interface Follower {
  slot: string;
  /** The transactions since the last call, each with its changes in their order. */
  read: () => Promise<FollowedChange[][]>;
}

/** Makes a slot on the database, which is gone when the test ends. */
export async function follow(url: string): Promise<Follower> {
  const slot = `test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  onTestFinished(async () => {
    await client.query(`SELECT pg_drop_replication_slot($1)`, [slot]);
    await client.end();
  });
  const tables = new Map<number, { name: string; columns: string[] }>();
  return {
    slot,
    async read() {
      const { rows } = await client.query<{ data: Buffer }>(
        `SELECT data FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', 'diptych')`,
        [slot],
      );
      return decode(
        rows.map(({ data }) => data),
        tables,
      );
    },
  };
}

/**
 * Attaches a reader to a slot that takes everything, says every now and then that it lives, and never confirms what
 * it has. Answers what tells when it was sent away.
 */
export async function attachIdleReader(url: string, slot: string): Promise<{ ended: Promise<void> }> {
  const client = new pg.Client({ connectionString: url, replication: 'database' } as pg.ClientConfig);
  await client.connect();
  const { connection } = client as unknown as {
    connection: EventEmitter & { sendCopyFromChunk: (chunk: Buffer) => void };
  };
  // A status update that confirms nothing, for each message that comes.
  const status = Buffer.alloc(34);
  status.write('r');
  connection.on('copyData', () => connection.sendCopyFromChunk(status));
  const started = once(connection, 'replicationStart');
  const ended = new Promise<void>((resolve) => client.on('error', () => resolve()));
  client
    .query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'diptych')`)
    .catch(() => {});
  await started;
  return { ended };
}

/** Messages: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html */
function decode(
  messages: Buffer[],
  tables: Map<number, { name: string; columns: string[] }>,
): FollowedChange[][] {
  const transactions: FollowedChange[][] = [];
  for (const message of messages) {
    const reader = new Reader(message);
    const type = reader.letter();
    if (type === 'B') transactions.push([]);
    if (type === 'R') {
      const id = reader.int32();
      const schema = reader.text();
      const name = `${schema}.${reader.text()}`;
      const identity = reader.letter();
      if (identity !== 'f') throw new Error(`${name} has no full replica identity`);
      const columns = Array.from({ length: reader.int16() }, () => {
        reader.skip(1);
        const column = reader.text();
        reader.skip(8);
        return column;
      });
      tables.set(id, { name, columns });
    }
    if (type === 'I' || type === 'U' || type === 'D') {
      const table = tables.get(reader.int32());
      if (table === undefined) throw new Error('a change of a table that was not described');
      const change = { table: table.name, before: null, after: null } as Omit<FollowedChange, 'op'>;
      while (!reader.atEnd()) {
        const isAfter = reader.letter() === 'N';
        change[isAfter ? 'after' : 'before'] = reader.row(table.columns);
      }
      const op = ({ I: 'insert', U: 'update', D: 'delete' } as const)[type];
      transactions.at(-1)?.push({ op, ...change });
    }
    if (type === 'T') throw new Error('a mirror is never truncated');
  }
  return transactions.filter((changes) => changes.length > 0);
}

class Reader {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}

  atEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  letter(): string {
    this.#at += 1;
    return String.fromCharCode(this.bytes[this.#at - 1] ?? 0);
  }

  int16(): number {
    this.#at += 2;
    return this.bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.bytes.readUInt32BE(this.#at - 4);
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.#at);
    const text = this.bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  row(columns: string[]): Row {
    const count = this.int16();
    return Object.fromEntries(columns.slice(0, count).map((column) => [column, this.#value(column)]));
  }

  #value(column: string): string | null {
    const kind = this.letter();
    if (kind === 'n') return null;
    // 'u' is a large value that was not changed, which a reader would have to know from elsewhere.
    if (kind !== 't') throw new Error(`${column} came without its value`);
    const length = this.int32();
    this.#at += length;
    return this.bytes.toString('utf8', this.#at - length, this.#at);
  }
}
