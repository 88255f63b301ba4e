import type { Tag } from './operation.js';

const DESCRIPTION = `A diptych is a picture on two panels. Every record here has two: the one that readers see, and the one that is being prepared.

1. **Stage**: put or patch the *pending version* of a record. Readers see nothing of it.
2. **Validate** it against the definition of its collection: JSON Schema, rules, unique values, references.
3. **Commit**: one atomic switch, and the pending version is the *current version*. Validation runs again in the same transaction.
4. Read **records**, now or as of any earlier revision; go back with a **rollback**, which moves a pointer and copies nothing.
5. Follow every update, before and after, in the **change feed**.

Every commit has one *revision*: 1, 2, 3, … without a gap, in the order in which readers saw them. The header \`Diptych-Revision\` of every answer says which one it reflects; send it back as \`Diptych-Min-Revision\` to read your own commits anywhere.

**Try it out** from top to bottom: what is filled in is one story about an espresso machine. A write that would overwrite or publish somebody’s work says what it saw (\`If-Match\` with an \`ETag\`, a validation \`receipt\`, or \`*\`); without it the answer is 428 and names the tag.

**Errors** are problem documents (RFC 9457) that list everything wrong at once; \`type\` leads to a page that says what helps, and [/problems](/problems) lists them. A path that does not exist gives \`route-not-found\` (404), a method that a path does not have gives \`method-not-allowed\` (405).`;

const tags: { name: Tag; description: string }[] = [
  {
    name: 'Collections',
    description: 'Named sets of records, each with one definition of what they must be.',
  },
  {
    name: 'Pending versions',
    description: 'The panel that is being prepared: stage, look, validate, and commit or discard.',
  },
  {
    name: 'Records',
    description: 'The panel that readers see: committed records only, now or at any revision.',
  },
  {
    name: 'Changesets',
    description:
      'Many pending versions that go live together: stage into them, judge, approve, commit or discard.',
  },
  { name: 'Commits', description: 'The log of all commits, and many changes in one call.' },
  { name: 'History', description: 'The versions of one record, and the way back.' },
  { name: 'Change feed', description: 'Every update as its two records, exactly once per position.' },
  {
    name: 'Webhooks',
    description: 'The same updates, signed and sent to a URL, in order and at least once.',
  },
  { name: 'Cleaning up', description: 'Throwing away staged work, and collections that nothing uses.' },
  { name: 'Service', description: 'Health, this document, and the pages about problems. Needs no token.' },
];

/** The document but for its paths and schemas, which come from the routes. */
export const documentBase = {
  openapi: '3.1.1',
  info: {
    title: 'Diptych',
    version: '1.0.0',
    summary: 'Versioned records: stage, validate, commit in one atomic switch.',
    description: DESCRIPTION,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/', description: 'This service' }],
  security: [{ bearer: [] }, {}],
  tags,
  components: {
    securitySchemes: {
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        description:
          'A token from `AUTH_TOKENS`. Without that setting no token is needed, and `Diptych-Actor` names the author.',
      },
    },
  },
};
