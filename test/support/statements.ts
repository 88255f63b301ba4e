import pg from 'pg';
import { onTestFinished, vi } from 'vitest';

/** A statement that was sent, and how much went to and fro with it: characters and bytes. */
export interface Statement {
  text: string;
  sent: number;
  received: number;
}

/** Notes every statement of transactions and sessions, of all connections, until the test ends. */
export function observeStatements(): Statement[] {
  const statements: Statement[] = [];
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query') as unknown as {
    mockImplementation: (query: (this: pg.Client, ...args: unknown[]) => unknown) => void;
    mockRestore: () => void;
  };
  spy.mockImplementation(function (this: pg.Client, ...args) {
    const answer = original.apply(this, args);
    const [first, second] = args;
    const { text, values } = isConfig(first) ? first : { text: first, values: second };
    if (typeof text === 'string' && answer instanceof Promise) {
      const statement = { text, sent: sizeOf(values), received: 0 };
      statements.push(statement);
      answer.then(
        ({ rows }: pg.QueryResult) => {
          statement.received = sizeOf(rows);
        },
        () => {},
      );
    }
    return answer;
  });
  onTestFinished(() => spy.mockRestore());
  return statements;
}

const isConfig = (value: unknown): value is pg.QueryConfig =>
  typeof value === 'object' && value !== null && 'text' in value;

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 0);
}
