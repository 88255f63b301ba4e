import { catalogue, type ErrorCode } from '../../domain/errors.js';
import { PROBLEM_TYPE, statusOfCode } from '../problem.js';
import type { Operation } from './complete.js';
import { headerDocs, headerReference, headersOfRefusal } from './headers.js';
import type { OperationDoc } from './operation.js';
import type { Json } from './tidy.js';

/** Responses that operations share, by component name: their codes with dots between. */
export type RefusalResponses = Map<string, Json>;

/** Refusals of reads that tell what the store holds, and as of which revision. */
const OF_READS = [404, 410, 412];

/** What any operation may be refused with. */
const EVERYWHERE: readonly ErrorCode[] = [
  'invalid-request',
  'request-timeout',
  'headers-too-large',
  'internal-error',
];
const WITH_BODY: readonly ErrorCode[] = [
  'malformed-json',
  'forbidden-member',
  'body-too-large',
  'unsupported-media-type',
  'unstorable-data',
];

interface Place {
  operation: Operation;
  doc: OperationDoc;
  path: string;
  method: string;
}

/** References to the refusals of an operation by status; what they refer to is added to `shared`. */
export function refusalsByStatus(shared: RefusalResponses, place: Place): Map<number, Json> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(place)) {
    const status = statusOfCode(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const references = [...byStatus].map(([status, codes]): [number, Json] => {
    const isPatch = status === 415 && place.method === 'patch';
    const isRead = place.method === 'get' && OF_READS.includes(status);
    const name = [...codes.sort(), ...(isPatch ? ['patch'] : []), ...(isRead ? ['read'] : [])].join('.');
    shared.set(name, refusalResponse(status, codes, place.method));
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return new Map(references);
}

function codesOf({ operation, doc, path }: Place): Set<ErrorCode> {
  const parameters = (operation.parameters ?? []).map(({ name }) => name.toLowerCase());
  const codes = new Set<ErrorCode>([...EVERYWHERE, ...doc.refusals]);
  if (operation.requestBody !== undefined && doc.streamed !== true) {
    for (const code of WITH_BODY) {
      codes.add(code);
    }
  }
  if (path.startsWith('/v1')) {
    codes.add('unauthenticated').add('not-ready');
  }
  if (parameters.includes('diptych-min-revision')) {
    codes.add('revision-not-reached');
  }
  if (parameters.includes('if-match')) {
    codes.add('precondition-failed');
  }
  return codes;
}

function refusalResponse(status: number, codes: ErrorCode[], method: string): Json {
  const lines = codes.map((code) => `\`${code}\`: ${catalogue[code].title}.`);
  const names = [...headersOfRefusal(status, method), 'X-Request-Id' as const];
  const headers = Object.fromEntries(names.map((name): [string, Json] => [name, headerReference(name)]));
  if (method === 'get' && OF_READS.includes(status)) {
    // Where something was looked for; not where the form of the request was enough to refuse it.
    const { required, ...revision } = headerDocs['Diptych-Revision'];
    headers['Diptych-Revision'] = revision;
  }
  return {
    description: lines.join('\n\n'),
    headers,
    content: {
      [PROBLEM_TYPE]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}
