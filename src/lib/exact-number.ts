/**
 * Whether a JSON number literal survives IEEE 754 double precision: whether its decimal value equals the
 * decimal value of the shortest form in which JavaScript writes the parsed double. 1.0, 1e3 and -0 do;
 * 9007199254740993, 0.10000000000000000055, 1e400 and 1e-400 do not. Linear in the literal's length.
 */
export function isExactNumber(literal: string): boolean {
  const double = Number(literal);
  if (!Number.isFinite(double)) return false;
  const written = decompose(literal);
  const kept = decompose(String(double));
  return written.digits === kept.digits && (written.digits === '' || written.exponent === kept.exponent);
}

/** `0.digits × 10^exponent` without zeros at either end, so that equal values decompose equally. */
function decompose(literal: string): { digits: string; exponent: number } {
  const unsigned = literal.startsWith('-') ? literal.slice(1) : literal;
  const [mantissa = '', power = '0'] = unsigned.toLowerCase().split('e');
  const [integer = '', fraction = ''] = mantissa.split('.');
  const all = integer + fraction;
  let start = 0;
  while (all[start] === '0') start += 1;
  let end = all.length;
  while (end > start && all[end - 1] === '0') end -= 1;
  return { digits: all.slice(start, end), exponent: integer.length - start + Number(power) };
}
