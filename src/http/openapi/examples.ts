// One example runs through the whole document: the collection `products` and its record `espresso-machine`,
// so that "Try it out", from the first operation to the last, works with what is filled in.

export const COLLECTION = 'products';
export const KEY = 'espresso-machine';

const NOON = '2026-11-22T12:00:00.000Z';
const LATER = '2026-11-22T12:05:00.000Z';
const DIGEST = '7f1f2a1d3c9f0f8a3b1f6f3f0a6d2f5d9b0a6e8f4c2d1e0f9a8b7c6d5e4f3a2b';
const RECEIPT = 'eyJyZXZpc2lvbiI6MX0.example';
const PREVIOUS_HASH = 'b1946ac92492d2347c6235b4d2611184a1e6f5b7c8d9e0f1a2b3c4d5e6f7a8b9';
const CHANGES_DIGEST = '27077ce4dcfe2958df1b33c3b81a8fa5e1a8d73a7c5d2a6f0fae720a95b15034';
const HASH = '9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab';

const opening = { name: 'Espresso machine', price: 499, stock: 12 };
const discounted = { ...opening, price: 479 };

export const definition = {
  title: 'Products',
  schema: {
    type: 'object',
    required: ['name', 'price'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 200 },
      price: { type: 'number', exclusiveMinimum: 0 },
      stock: { type: 'integer', minimum: 0 },
    },
  },
  rules: [
    {
      id: 'no-price-jump',
      assert: 'current == null || data.price <= current.price * 1.5',
      message: 'A price may rise by half at most.',
      severity: 'error',
      pointer: '/price',
    },
  ],
  indexes: ['/price'],
};

export const collection = {
  name: COLLECTION,
  definition,
  definitionNumber: 1,
  revision: 1,
  updatedAt: NOON,
  updatedBy: 'anonymous',
  indexes: [{ pointer: '/price', state: 'ready', recordsDone: null }],
};

export const definitionVersion = {
  collection: COLLECTION,
  number: 1,
  revision: 1,
  definition,
  digest: DIGEST,
  committedAt: NOON,
  committedBy: 'anonymous',
  current: true,
};

export const definitionImpact = {
  dryRun: true,
  live: { checked: 3, failing: 0, sample: [] },
  pending: { checked: 1, failing: 0, sample: [] },
  durationMs: 4,
};

export const stageUpsert = { data: opening, message: 'Opening price' };
export const stageDeletion = { operation: 'delete', message: 'No longer made' };
export const mergePatch = { data: { price: 479 } };
export const jsonPatch = [
  { op: 'test', path: '/data/name', value: 'Espresso machine' },
  { op: 'replace', path: '/data/price', value: 479 },
];

export const pending = {
  collection: COLLECTION,
  key: KEY,
  changeset: null,
  operation: 'upsert',
  data: discounted,
  baseVersion: null,
  currentVersion: null,
  outdated: false,
  digest: DIGEST,
  message: 'Opening price',
  stagedBy: ['anonymous'],
  stagedAt: NOON,
  updatedAt: LATER,
  resolutions: [],
  validation: { state: 'unknown' },
};

const resolution = { pointer: '/price', resolution: 'pending', by: 'anonymous', at: LATER };

export const rebase = { resolutions: { '/price': 'pending', '/stock': { value: 10 } } };

export const rebased = {
  ...pending,
  data: { ...discounted, stock: 10 },
  baseVersion: 2,
  currentVersion: 2,
  resolutions: [resolution, { ...resolution, pointer: '/stock', resolution: { value: 10 } }],
};

export const pendingDiff = {
  from: null,
  to: 'pending',
  patch: [{ op: 'add', path: '', value: discounted }],
  changes: [{ pointer: '', after: discounted }],
};

export const report = {
  valid: true,
  errors: [],
  warnings: [],
  validatedRevision: 1,
  digest: DIGEST,
  receipt: RECEIPT,
};

const CHANGESET = '7b0f3f5e-3d0e-4d8e-9c58-0f6c2b1a9d11';

export const createChangeset = { title: 'Winter prices', message: 'As agreed in November' };

export const changeset = {
  id: CHANGESET,
  title: 'Winter prices',
  message: 'As agreed in November',
  state: 'open',
  createdBy: 'anonymous',
  createdAt: NOON,
  memberCount: 2,
  validation: { state: 'unknown' },
  approvals: [],
  schedule: null,
  refusal: null,
  closedBy: null,
  closedAt: null,
  revision: null,
};

export const discardedChangeset = {
  ...changeset,
  state: 'discarded',
  memberCount: 0,
  closedBy: 'anonymous',
  closedAt: LATER,
};

export const approvedChangeset = {
  ...changeset,
  approvals: [
    {
      approver: 'grace',
      approvedAt: LATER,
      message: 'Checked against the contract',
      digest: DIGEST,
      valid: true,
    },
  ],
};

const MORNING = '2099-12-01T06:00:00.000Z';

export const scheduleChangeset = { commitAt: MORNING };

export const rebaseChangeset = {
  resolutions: [{ collection: COLLECTION, key: KEY, resolutions: { '/price': 'current' } }],
};

export const rebasedChangeset = { rebased: 2, resolved: 1, changeset };

export const changesetReport = {
  valid: true,
  errors: [],
  warnings: [],
  errorCount: 0,
  warningCount: 0,
  memberCount: 2,
  validatedRevision: 4,
  digest: DIGEST,
  receipt: RECEIPT,
  missingApprovals: [],
  overlaps: [],
};

export const scheduledChangeset = {
  ...changeset,
  state: 'scheduled',
  schedule: { commitAt: MORNING, scheduledBy: 'anonymous', scheduledAt: LATER },
  report: changesetReport,
};

export const record = {
  collection: COLLECTION,
  key: KEY,
  version: 1,
  revision: 2,
  data: discounted,
  committedAt: LATER,
  committedBy: 'anonymous',
  message: 'Opening price',
};

export const exportedLines = `${[
  {
    collection: COLLECTION,
    key: 'coffee-grinder',
    operation: 'put',
    data: { name: 'Coffee grinder', price: 129, stock: 30 },
  },
  { collection: COLLECTION, key: KEY, operation: 'put', data: discounted },
]
  .map((line) => JSON.stringify(line))
  .join('\n')}\n`;

export const stagedLines = `${[
  { collection: COLLECTION, key: KEY, operation: 'merge', patch: { price: 549 } },
  {
    collection: COLLECTION,
    key: 'coffee-grinder',
    operation: 'put',
    data: { name: 'Coffee grinder', price: 129, stock: 30 },
  },
]
  .map((line) => JSON.stringify(line))
  .join('\n')}\n`;

export const stageReport = { staged: 2, unchanged: 0, failed: 0, errors: [] };

const created = { collection: COLLECTION, key: KEY, operation: 'create', before: null, after: 1 };
const updated = { collection: COLLECTION, key: KEY, operation: 'update', before: 1, after: 2 };
const grinder = {
  collection: COLLECTION,
  key: 'coffee-grinder',
  operation: 'create',
  before: null,
  after: 1,
};
const rolledBack = { collection: COLLECTION, key: KEY, operation: 'update', before: 2, after: 1 };

export const commitResult = {
  revision: 2,
  committedAt: LATER,
  kind: 'commit',
  changeCount: 1,
  changes: [created],
  unchanged: false,
};

export const directCommit = {
  changes: [
    { collection: COLLECTION, key: KEY, operation: 'merge', patch: { price: 529 } },
    {
      collection: COLLECTION,
      key: 'coffee-grinder',
      operation: 'put',
      data: { name: 'Coffee grinder', price: 119, stock: 30 },
    },
  ],
  message: 'After the fair',
};

export const directCommitResult = {
  ...commitResult,
  revision: 4,
  changeCount: 2,
  changes: [
    { ...updated, before: 2, after: 3 },
    { ...grinder, operation: 'update', before: 1, after: 2 },
  ],
};

export const rollback = { toVersion: 1, message: 'Winter prices were too high' };

export const rollbackResult = { ...commitResult, revision: 6, kind: 'rollback', changes: [rolledBack] };

export const revertResult = {
  ...directCommitResult,
  revision: 5,
  kind: 'revert',
  changes: [
    { ...updated, before: 3, after: 2 },
    { ...grinder, operation: 'update', before: 2, after: 1 },
  ],
};

export const commit = {
  revision: 2,
  kind: 'commit',
  committedAt: LATER,
  author: 'anonymous',
  message: 'Opening price',
  changeset: null,
  reverts: null,
  forced: false,
  definition: null,
  definitions: [{ collection: COLLECTION, number: 1 }],
  changeCount: 1,
  changes: [created],
  changesDigest: CHANGES_DIGEST,
  hash: HASH,
  previousHash: PREVIOUS_HASH,
};

export const changeSummary = created;

export const versionSummary = {
  version: 1,
  revisions: [2, 4],
  committedAt: LATER,
  committedBy: 'anonymous',
  message: 'Opening price',
  digest: DIGEST,
  current: true,
  archived: false,
  deleted: false,
};

export const version = { ...versionSummary, collection: COLLECTION, key: KEY, data: discounted };

export const versionDiff = {
  from: 1,
  to: 2,
  patch: [{ op: 'replace', path: '/price', value: 549 }],
  changes: [{ pointer: '/price', before: 479, after: 549 }],
};

export const change = {
  revision: 3,
  ordinal: 1,
  operation: 'update',
  collection: COLLECTION,
  key: KEY,
  before: { version: 1, data: discounted },
  after: { version: 2, data: { ...opening, price: 549 } },
  committedAt: LATER,
  author: 'anonymous',
  message: 'Winter prices',
};

export const retention = {
  collection: COLLECTION,
  policy: { keepVersions: 100, keepDays: 90, onExpire: 'archive' },
  isDefault: true,
  horizon: 0,
  run: null,
  items: [
    {
      key: KEY,
      version: 2,
      data: 'kept',
      outcome: 'keep',
      reasons: ['newest', 'young'],
      supersededAt: LATER,
      expiresAt: null,
    },
  ],
  next: null,
  revision: 4,
};

export const retentionRun = { dryRun: true, archived: 0, deleted: 0, horizon: 0, complete: true };

export const answered = {
  status: 200,
  answeredAt: LATER,
  revision: 2,
  body: commitResult,
};

/** A page with one item. */
export function page(item: unknown, revision: number) {
  return { items: [item], next: null, revision };
}

export const ingestedRow = { id: 'grinder', name: 'Grinder', price: 199 };
export const ingestedRows = [
  { id: 'grinder', name: 'Grinder', price: 199, row_kind: '-U' },
  { id: 'grinder', name: 'Grinder', price: 189, row_kind: '+U' },
  { id: 'milk-jug', name: 'Milk jug', price: 19, row_kind: '+I' },
  { id: 'old-kettle', name: 'Kettle', price: 29, row_kind: '-D' },
];
export const ingestedTexts = ingestedRows.map((row) => JSON.stringify(row));
export const ingestReport = { staged: 2, unchanged: 1, skipped: 1, failed: 0, errors: [] };
