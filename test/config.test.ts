import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';
import { loadEnvFileIfPresent } from '../src/start/env-file.js';

const token = 'a'.repeat(32);
const otherToken = 'b'.repeat(32);

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  test('an empty environment gives the defaults', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      databaseUrl: null,
      dataDir: resolve('data'),
      poolSize: 10,
      processes: 1,
      logLevel: 'info',
      logFormat: 'auto',
      maxRecordBytes: 1_048_576,
      maxBodyBytes: 16_777_216,
      cacheMaxBytes: 67_108_864,
      shutdownTimeoutSeconds: 20,
      idempotencyHours: 24,
      retentionIntervalMinutes: 60,
      authTokens: [],
      publicUrl: null,
      webhookAllow: { hosts: new Set(), networks: [] },
    });
  });

  test('a variable that is set to nothing or to blanks counts as not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '  ', AUTH_TOKENS: '' })).toEqual(readConfig({}));
  });

  test('all problems are told at once, each with the name of its variable', () => {
    const problems = problemsOf({
      PORT: '70000',
      POOL_SIZE: 'many',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'POOL_SIZE',
      'LOG_LEVEL',
    ]);
  });

  test('a pool that could not serve long work, commits and reads at once is refused', () => {
    expect(problemsOf({ POOL_SIZE: '3' })).toEqual(['POOL_SIZE must be a whole number from 4 to 200']);
    expect(problemsOf({ POOL_SIZE: '4' })).toEqual([]);
  });

  test('no message repeats a value, which may be a secret', () => {
    const secret = 'hunter2secret';
    const problems = problemsOf({
      DATABASE_URL: `mysql://root:${secret}@db/x`,
      AUTH_TOKENS: `ann:${secret}`,
      PUBLIC_URL: secret,
      PORT: secret,
      LOG_FORMAT: secret,
    });
    expect(problems).toHaveLength(5);
    expect(problems.join('\n')).not.toContain(secret);
  });

  test.each(['1e3', '-1', '3000.5', '0x10', '65536', ' 12a '])('PORT=%s is refused', (value) => {
    expect(problemsOf({ PORT: value })).toHaveLength(1);
  });

  test('PORT=0 is allowed and means any free port', () => {
    expect(readConfig({ PORT: '0' }).port).toBe(0);
  });

  test('tokens are read with their names and whether they are for an admin', () => {
    expect(readConfig({ AUTH_TOKENS: `ann:${token}, bob:${otherToken}:admin` }).authTokens).toEqual([
      { actor: { name: 'ann', admin: false }, token },
      { actor: { name: 'bob', admin: true }, token: otherToken },
    ]);
  });

  test.each([
    ['a token of 31 characters', `ann:${'a'.repeat(31)}`],
    ['a token that no header can carry', `ann:${'ä'.repeat(32)}`],
    ['a nameless token', `:${token}`],
    ['an unknown role', `ann:${token}:root`],
    ['a trailing comma', `ann:${token},`],
    ['one name twice', `ann:${token},ann:${otherToken}`],
    ['one token for two names', `ann:${token},bob:${token}`],
  ])('AUTH_TOKENS with %s is refused', (_, value) => {
    expect(problemsOf({ AUTH_TOKENS: value })).toHaveLength(1);
  });

  test.each(['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.example.com', '128.0.0.1'])(
    'HOST=%s is refused without AUTH_TOKENS, and the message tells what to do',
    (host) => {
      const [problem] = problemsOf({ HOST: host });
      expect(problem).toMatch(
        /^AUTH_TOKENS must be set .*Set AUTH_TOKENS=name:token .*or leave HOST at 127\.0\.0\.1$/,
      );
      expect(problemsOf({ HOST: host, AUTH_TOKENS: `ann:${token}` })).toEqual([]);
    },
  );

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LOCALHOST'])(
    'HOST=%s needs no AUTH_TOKENS',
    (host) => {
      expect(problemsOf({ HOST: host })).toEqual([]);
    },
  );

  test('a body limit below the record limit is refused', () => {
    expect(problemsOf({ MAX_BODY_BYTES: '1024' })).toEqual([
      'MAX_BODY_BYTES must not be smaller than MAX_RECORD_BYTES',
    ]);
  });

  test('WEBHOOK_ALLOW is a list of hosts and networks, or refused', () => {
    expect([...readConfig({ WEBHOOK_ALLOW: 'receiver.internal, 10.0.0.0/8' }).webhookAllow.hosts]).toEqual([
      'receiver.internal',
    ]);
    expect(problemsOf({ WEBHOOK_ALLOW: '10/8' })).toEqual([
      'WEBHOOK_ALLOW must be a comma-separated list of host names, addresses and networks like 10.1.0.0/16',
    ]);
  });

  test('PUBLIC_URL loses its trailing slash', () => {
    expect(readConfig({ PUBLIC_URL: 'https://records.example.com/' }).publicUrl).toBe(
      'https://records.example.com',
    );
  });
});

describe('loadEnvFileIfPresent', () => {
  function directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'diptych-env-'));
    onTestFinished(() => {
      rmSync(path, { recursive: true });
      delete process.env.DIPTYCH_TEST_SET;
      delete process.env.DIPTYCH_TEST_NEW;
    });
    return path;
  }

  test('the file adds to the environment, and a variable that is already set wins', () => {
    const file = join(directory(), '.env');
    writeFileSync(file, 'DIPTYCH_TEST_SET=file\nDIPTYCH_TEST_NEW=file\n');
    process.env.DIPTYCH_TEST_SET = 'environment';
    loadEnvFileIfPresent(file);
    expect([process.env.DIPTYCH_TEST_SET, process.env.DIPTYCH_TEST_NEW]).toEqual(['environment', 'file']);
  });

  test('a missing file is no error, an unreadable one is', () => {
    const path = directory();
    expect(() => loadEnvFileIfPresent(join(path, 'missing'))).not.toThrow();
    expect(() => loadEnvFileIfPresent(path)).toThrow(ConfigError);
  });
});
