import { describe, expect, test } from 'vitest';
import { checkPrecondition, matchesStagedTag, pendingTag } from '../../src/domain/entity-tag.js';
import { formatReceipt, parseReceipt } from '../../src/domain/receipt.js';
import { thrownBy } from '../support/thrown.js';

const required = { what: 'pending version', required: true };
const named = (...tags: string[]) => ({ any: false as const, tags });

describe('checkPrecondition', () => {
  test('replacing what is there without saying what was seen is refused with the present tag', () => {
    const error = thrownBy(() => checkPrecondition({}, '"a"', required));
    expect(error).toMatchObject({ code: 'precondition-required', options: { extensions: { etag: '"a"' } } });
  });

  test('creating needs no precondition', () => {
    expect(() => checkPrecondition({}, null, required)).not.toThrow();
  });

  test('If-Match holds for the present tag among several, and for *', () => {
    expect(() => checkPrecondition({ ifMatch: named('"x"', '"a"') }, '"a"', required)).not.toThrow();
    expect(() => checkPrecondition({ ifMatch: { any: true } }, '"a"', required)).not.toThrow();
  });

  test.each([
    ['another tag', { ifMatch: named('"b"') }, '"a"'],
    ['a weak tag', { ifMatch: named('W/"a"') }, '"a"'],
    ['* where nothing is', { ifMatch: { any: true as const } }, null],
    ['If-None-Match: * where something is', { ifNoneMatch: { any: true as const } }, '"a"'],
  ])('fails for %s', (_, precondition, present) => {
    expect(thrownBy(() => checkPrecondition(precondition, present, required))).toMatchObject({
      code: 'precondition-failed',
    });
  });
});

describe('the tag of a pending version', () => {
  const tag = pendingTag({ id: 7, edit: 3, derived: '5.1.valid' });

  test('names what was staged, whatever is derived since', () => {
    expect(matchesStagedTag(named(pendingTag({ id: 7, edit: 3, derived: '6.2.stale' })), tag)).toBe(true);
  });

  test.each([
    ['another edit', pendingTag({ id: 7, edit: 4, derived: '5.1.valid' })],
    ['another pending version', pendingTag({ id: 8, edit: 3, derived: '5.1.valid' })],
    ['an edit that begins alike', '"p7.33~5.1.valid"'],
    ['a weak tag', `W/${tag}`],
    ['no tag of a pending version', '"r12.abc"'],
    ['nothing', '""'],
  ])('does not match %s', (_, given) => {
    expect(matchesStagedTag(named(given), tag)).toBe(false);
  });
});

describe('receipts', () => {
  const receipt = { pendingId: 4, edit: 2, definitionId: 9, currentVersionId: 0, revision: 31 };

  test('come back as they were given', () => {
    expect(parseReceipt(formatReceipt(receipt))).toEqual(receipt);
  });

  test.each(['', 'rcpt1.', 'rcpt1.xxx', 'rcpt1.MS4y', `${formatReceipt(receipt)}AAAA`, 'rcpt2.MS4yLjMuNC41'])(
    '%j is refused as none',
    (text) => {
      expect(thrownBy(() => parseReceipt(text))).toMatchObject({ code: 'invalid-request' });
    },
  );
});
