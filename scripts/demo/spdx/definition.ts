/**
 * What the collection demands of every licence. The rules judge the transition as well as the content:
 * `current` is what readers see until the commit.
 */
export const definition = {
  title: 'SPDX licences',
  description: 'Licences by their SPDX identifier, from the npm package spdx-license-list (CC0-1.0).',
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['name', 'osiApproved', 'licenseText'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', minLength: 3, maxLength: 200 },
      url: { type: 'string', maxLength: 500, pattern: '^(https?|ftp)://' },
      osiApproved: { type: 'boolean' },
      licenseText: { type: 'string', minLength: 20, maxLength: 100_000 },
    },
  },
  rules: [
    {
      id: 'approval-stays',
      when: "operation != 'delete' && current != null",
      assert: '!current.osiApproved || data.osiApproved',
      message: 'The Open Source Initiative does not withdraw an approval.',
      pointer: '/osiApproved',
    },
    {
      id: 'text-is-kept',
      when: "operation != 'delete' && current != null",
      assert: 'size(data.licenseText) * 2 >= size(current.licenseText)',
      message: 'A correction does not lose half of the text of a licence.',
      pointer: '/licenseText',
    },
    {
      id: 'address-is-secure',
      when: "operation != 'delete' && has(data.url)",
      assert: "!data.url.startsWith('http://')",
      message: 'The address of a licence should start with https.',
      severity: 'warning',
      pointer: '/url',
    },
  ],
  indexes: ['/osiApproved'],
};
