const text = { type: 'string', minLength: 1, maxLength: 2_000 };
const link = { type: 'string', maxLength: 500, pattern: '^https://' };
const version = { type: 'string', pattern: '^(≤?[0-9]+(\\.[0-9]+){0,3}|preview)$' };

/** One of them, or a list of two and more. */
function oneOrMore(item: object): object {
  return { anyOf: [item, { type: 'array', items: item, minItems: 2, maxItems: 100 }] };
}

/** Since when a browser supports a feature, until when, and under which conditions. */
const supportStatement = {
  type: 'object',
  required: ['version_added'],
  additionalProperties: false,
  properties: {
    version_added: { anyOf: [version, { const: false }] },
    version_last: version,
    version_removed: version,
    prefix: text,
    alternative_name: text,
    partial_implementation: { const: true },
    notes: oneOrMore(text),
    impl_url: oneOrMore(link),
    flags: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['type', 'name'],
        additionalProperties: false,
        properties: { type: { enum: ['preference', 'runtime_flag'] }, name: text, value_to_set: text },
      },
    },
  },
  // What was removed was there before, in a version that is known.
  dependentRequired: { version_removed: ['version_last'], version_last: ['version_removed'] },
};

/** What the collection demands of every feature. */
export const definition = {
  title: 'Browser compatibility',
  description: 'Features of the web by their path, from the npm package @mdn/browser-compat-data (CC0-1.0).',
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: { supportStatement },
    type: 'object',
    required: ['source_file', 'support'],
    additionalProperties: false,
    properties: {
      description: text,
      mdn_url: { type: 'string', pattern: '^https://developer\\.mozilla\\.org/docs/' },
      source_file: { type: 'string', pattern: '^[^/]+/.+\\.json$' },
      spec_url: oneOrMore(link),
      tags: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^web-features:' } },
      status: {
        type: 'object',
        required: ['deprecated', 'experimental', 'standard_track'],
        additionalProperties: false,
        properties: {
          deprecated: { type: 'boolean' },
          experimental: { type: 'boolean' },
          standard_track: { type: 'boolean' },
        },
      },
      support: {
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: '^[a-z_]+$' },
        additionalProperties: oneOrMore({ $ref: '#/$defs/supportStatement' }),
      },
    },
  },
  rules: [
    {
      id: 'in-its-area',
      when: "operation != 'delete'",
      assert: "data.source_file.startsWith(key.split('.')[0] + '/')",
      message: 'A feature is described in a file of the area that its key names.',
      pointer: '/source_file',
    },
    {
      id: 'no-future-for-the-deprecated',
      when: "operation != 'delete' && has(data.status)",
      assert: '!(data.status.deprecated && data.status.experimental)',
      message: 'A deprecated feature is not experimental.',
      pointer: '/status',
    },
    {
      id: 'specified-means-standard',
      when: "operation != 'delete' && has(data.status) && has(data.spec_url)",
      assert: 'data.status.standard_track',
      message: 'A feature with a specification is on the standard track.',
      pointer: '/status/standard_track',
    },
  ],
  indexes: ['/status/deprecated'],
};
