import { describe, expect, test } from 'vitest';
import {
  decideRetention,
  effectivePolicy,
  type RetentionFacts,
  type RetentionPolicy,
} from '../../src/domain/retention.js';

const now = new Date('2026-11-24T12:00:00.000Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const old: RetentionFacts = {
  number: 3,
  lastNumber: 10,
  current: false,
  base: false,
  data: 'kept',
  supersededAt: daysAgo(1_000),
};
const policyOf = (limits: Partial<RetentionPolicy>): RetentionPolicy => ({
  keepVersions: null,
  keepDays: null,
  onExpire: 'archive',
  ...limits,
});
const decide = (policy: Partial<RetentionPolicy>, facts: Partial<RetentionFacts>) =>
  decideRetention(policyOf(policy), { ...old, ...facts }, now);

describe('the policy in force', () => {
  test.each([[{}], [{ retention: {} }]])('is a bounded default for %j', (definition) => {
    expect(effectivePolicy(definition)).toEqual({
      policy: { keepVersions: 100, keepDays: 90, onExpire: 'archive' },
      isDefault: true,
    });
  });

  test.each([
    [{ keepVersions: 5 }, { keepVersions: 5, keepDays: null, onExpire: 'archive' }],
    [{ keepDays: 7 }, { keepVersions: null, keepDays: 7, onExpire: 'archive' }],
    [
      { keepVersions: 5, keepDays: 7, onExpire: 'delete' as const },
      { keepVersions: 5, keepDays: 7, onExpire: 'delete' },
    ],
  ])('means only the limits that %j sets', (retention, policy) => {
    expect(effectivePolicy({ retention })).toEqual({ policy, isDefault: false });
  });

  test('keeps the default limits where only what happens to expired ones is set', () => {
    expect(effectivePolicy({ retention: { onExpire: 'delete' } })).toEqual({
      policy: { keepVersions: 100, keepDays: 90, onExpire: 'delete' },
      isDefault: false,
    });
  });
});

describe('a version', () => {
  test('that nothing protects goes as the policy says', () => {
    expect(decide({ keepVersions: 7 }, {})).toEqual({ outcome: 'archive', reasons: [], expiresAt: null });
    expect(decide({ keepVersions: 7, onExpire: 'delete' }, {}).outcome).toBe('delete');
  });

  test.each([
    ['current', { current: true }],
    ['base', { base: true }],
    ['newest', { number: 4 }],
    ['young', { supersededAt: daysAgo(29.999) }],
  ] as const)('stays as %s', (reason, facts) => {
    expect(decide({ keepVersions: 7, keepDays: 30 }, facts)).toMatchObject({
      outcome: 'keep',
      reasons: [reason],
    });
  });

  test('stays while either limit protects it, and goes when neither does', () => {
    const both = { keepVersions: 7, keepDays: 30 };
    expect(decide(both, { number: 4 }).outcome).toBe('keep');
    expect(decide(both, { supersededAt: daysAgo(1) }).outcome).toBe('keep');
    expect(decide(both, {}).outcome).toBe('archive');
  });

  test('is as old as its last time as the current one is long ago, to the millisecond', () => {
    expect(decide({ keepDays: 30 }, { supersededAt: daysAgo(30) }).outcome).toBe('archive');
    const later = new Date(daysAgo(30).getTime() + 1);
    expect(decide({ keepDays: 30 }, { supersededAt: later }).outcome).toBe('keep');
  });

  test('says when it will go only if nothing but its age keeps it', () => {
    const facts = { supersededAt: daysAgo(10) };
    expect(decide({ keepDays: 30 }, facts).expiresAt).toEqual(daysAgo(-20));
    expect(decide({ keepVersions: 8, keepDays: 30 }, facts).expiresAt).toBeNull();
    expect(decide({ keepDays: 30 }, { ...facts, current: true }).expiresAt).toBeNull();
  });

  test('that is archived is done with, until a policy deletes', () => {
    expect(decide({ keepVersions: 7 }, { data: 'archived' })).toMatchObject({
      outcome: 'keep',
      reasons: ['archived'],
    });
    expect(decide({ keepVersions: 7, onExpire: 'delete' }, { data: 'archived' }).outcome).toBe('delete');
    expect(decide({ keepVersions: 7, onExpire: 'delete' }, { data: 'archived', base: true })).toMatchObject({
      outcome: 'keep',
      reasons: ['base'],
    });
  });

  test('that is deleted is done with', () => {
    expect(decide({ keepVersions: 7, onExpire: 'delete' }, { data: 'deleted' })).toMatchObject({
      outcome: 'keep',
      reasons: ['deleted'],
    });
  });
});
