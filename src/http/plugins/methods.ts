import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DiptychError } from '../../domain/errors.js';
import { invalidRequest } from '../problem.js';
import { JSON_PATCH_TYPE, MERGE_PATCH_TYPE } from './bodies.js';

interface KnownPath {
  /** Segments of the pattern; `:name` stands for any one, `*` for all that follow. */
  segments: string[];
  methods: Set<string>;
}

/**
 * Answers what no route matches, before any body is read: 405 with `Allow` where the path is known, 204 to
 * OPTIONS, 404 elsewhere. Must be called before the routes are added, whose patterns it collects.
 */
export function guardMethods(app: FastifyInstance): void {
  const known = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { segments: url.split('/'), methods: new Set() };
    for (const name of [method].flat()) {
      path.methods.add(name);
    }
    known.set(url, path);
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) {
      done();
      return;
    }
    const methods = methodsOf(known, request);
    if (methods.length === 0) {
      throw new DiptychError('route-not-found', `There is nothing at ${pathOf(request)}.`);
    }
    reply.header('Allow', methods.join(', '));
    if (request.method !== 'OPTIONS') {
      throw new DiptychError('method-not-allowed', `Here there is ${methods.join(', ')}.`);
    }
    if (methods.includes('PATCH')) {
      reply.header('Accept-Patch', `${MERGE_PATCH_TYPE}, ${JSON_PATCH_TYPE}`);
    }
    reply.code(204).send();
  });
}

/** The methods of the path of `request`, in the order that documentation gives them; empty: unknown path. */
function methodsOf(known: Map<string, KnownPath>, request: FastifyRequest): string[] {
  const segments = decodedSegments(pathOf(request));
  const methods = new Set<string>();
  for (const path of known.values()) {
    if (isMatch(path.segments, segments)) {
      for (const method of path.methods) {
        methods.add(method);
      }
    }
  }
  const order = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];
  return methods.size === 0 ? [] : [...order.filter((method) => methods.has(method)), 'OPTIONS'];
}

function decodedSegments(path: string): string[] {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    const message = 'Percent-encoding in the path must be complete and make valid UTF-8.';
    throw invalidRequest([{ pointer: '', code: 'encoding', message, in: 'path' }]);
  }
}

function isMatch(pattern: string[], segments: string[]): boolean {
  if (pattern.at(-1) === '*') {
    return (
      segments.length >= pattern.length &&
      isMatch(pattern.slice(0, -1), segments.slice(0, pattern.length - 1))
    );
  }
  return (
    pattern.length === segments.length &&
    pattern.every((step, index) => step.startsWith(':') || step === segments[index])
  );
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
