import { DiptychError, type ErrorCode } from './errors.js';

/** Failures that a refusal lists at most. */
const listedFailures = 1_000;

/** Which refusal a call with several answers with: what has to be mended first comes first. */
const precedence: ErrorCode[] = [
  'collection-not-found',
  'malformed-json',
  'forbidden-member',
  'record-not-found',
  'record-deleted',
  'version-conflict',
  'revert-conflict',
  'base-outdated',
  'record-too-large',
  'unstorable-data',
  'patch-test-failed',
  'patch-impossible',
];

const rank = (refusal: DiptychError) => {
  const index = precedence.indexOf(refusal.code);
  return index === -1 ? precedence.length : index;
};

/** One refusal that carries the failures of all; undefined when there is none. */
export function combineRefusals(refusals: DiptychError[]): DiptychError | undefined {
  const [first, ...others] = [...refusals].sort((a, b) => rank(a) - rank(b));
  if (first === undefined || others.length === 0) return first;
  const errors = [first, ...others].flatMap((refusal) => refusal.options.errors ?? []);
  return new DiptychError(
    first.code,
    `${first.detail} ${others.length} more ${others.length === 1 ? 'refusal stands' : 'refusals stand'} against it; see \`errors\`.`,
    { ...first.options, errors: errors.slice(0, listedFailures) },
  );
}
