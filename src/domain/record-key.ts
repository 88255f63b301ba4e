/** Characters of a key at most. */
export const keyMaxCodePoints = 255;

/** Why a text cannot be the key of a record; null when it can. */
export function problemOfKey(key: string): string | null {
  if (key === '') return 'A key has at least one character.';
  if (key === '.' || key === '..') return 'A key may not be . or .., which URLs give another meaning.';
  if (/\p{Cc}/u.test(key)) return 'A key may not hold control characters.';
  if (/\p{Cs}/u.test(key)) return 'A key may not hold unpaired surrogates.';
  // A key is measured in code points; most are far below the limit in UTF-16 units already.
  if (key.length > keyMaxCodePoints && [...key].length > keyMaxCodePoints)
    return `A key has at most ${keyMaxCodePoints} characters.`;
  return null;
}
