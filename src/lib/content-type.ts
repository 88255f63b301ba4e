/**
 * One `Content-Type` of a header that was sent several times and joined with commas, where all its values name the
 * same media type: with the parameters of all. Any other header as it is, which no parser takes.
 */
export function agreedContentType(header: string): string {
  // A comma in quotes separates nothing.
  if (header.includes('"')) return header;
  const values = header.split(',').map((value) => value.split(';').map((part) => part.trim().toLowerCase()));
  const [type, ...others] = new Set(values.map(([name = '']) => name));
  if (type === undefined || others.length > 0) return header;
  return [type, ...new Set(values.flatMap(([, ...parameters]) => parameters))].join('; ');
}
