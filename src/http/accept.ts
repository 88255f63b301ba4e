/**
 * Which of the media types that are offered the client wants most (RFC 9110, section 12.5.1); the earlier of
 * two that it wants equally, and null where it takes none of them. Who says nothing that can be read takes the first.
 */
export function acceptedType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type | null {
  const ranges = (accept ?? '').split(',').flatMap(readRange);
  if (ranges.length === 0) {
    return offered[0];
  }
  let best: Type | null = null;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** The same where the first is better than nothing. */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  return acceptedType(accept, offered) ?? offered[0];
}

interface Range {
  type: string;
  quality: number;
}

function readRange(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) {
    return [];
  }
  const given = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
  const quality = given === undefined ? 1 : Number(given);
  return quality >= 0 && quality <= 1 ? [{ type, quality }] : [];
}

// The range that names the type most exactly counts, whatever the others say.
function qualityOf(type: string, ranges: Range[]): number {
  const [main] = type.split('/', 1);
  for (const candidate of [type, `${main}/*`, '*/*']) {
    const found = ranges.filter((range) => range.type === candidate);
    if (found.length > 0) {
      return Math.max(...found.map(({ quality }) => quality));
    }
  }
  return 0;
}
