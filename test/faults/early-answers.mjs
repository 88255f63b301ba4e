// Loaded before the service: says that a transaction has been committed, and commits it a little later.
import pg from 'pg';

const original = pg.Client.prototype.query;

pg.Client.prototype.query = function query(...args) {
  const text = typeof args[0] === 'string' ? args[0] : args[0]?.text;
  if (text === 'COMMIT') {
    this.postponed = (this.postponed ?? Promise.resolve()).then(() =>
      new Promise((resolve) => setTimeout(resolve, 20)).then(() => original.call(this, 'COMMIT')),
    );
    return Promise.resolve({ rows: [], command: 'COMMIT' });
  }
  // Callbacks, which the pool uses for what is sent outside of transactions, are let through as they are.
  if (this.postponed !== undefined && typeof args.at(-1) !== 'function') {
    return this.postponed.then(() => original.apply(this, args));
  }
  return original.apply(this, args);
};
