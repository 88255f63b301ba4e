import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readConfig, settingNames } from '../../src/config.js';

const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const example = parseEnv(text);

describe('.env.example', () => {
  test('names exactly the settings that the service reads', () => {
    expect(Object.keys(example).sort()).toEqual([...settingNames].sort());
  });

  test('shows the default of every setting', () => {
    expect(readConfig(example)).toEqual(readConfig({}));
  });

  test('explains every setting in a comment right above it', () => {
    const lines = text.split('\n');
    const unexplained = settingNames.filter((name) => {
      const line = lines.findIndex((candidate) => candidate.startsWith(`${name}=`));
      return !lines[line - 1]?.startsWith('# ');
    });
    expect(unexplained).toEqual([]);
  });
});
