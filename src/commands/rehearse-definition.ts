import type { Actor } from '../domain/actor.js';
import type { Definition, DefinitionImpact } from '../domain/collection.js';
import { compareConstraints } from '../domain/definition/constraint-change.js';
import { createAssessment, measureAssessment } from '../store/assessments.js';
import { findCollection } from '../store/collections.js';
import { type Snapshot, withSession } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { assessLive, assessmentWork, assessPending, type Subject } from './steps/assess-definition.js';
import { compileOrRefuse, requireReferencedCollections } from './steps/check-definition.js';
import { explainLiveImpact, explainPendingImpact } from './steps/explain-impact.js';
import { JudgePace } from './steps/judge-pace.js';

/**
 * What a definition would do to every live and pending record: on one snapshot, beside all that goes on, and
 * nothing is written. The collection need not exist.
 */
export async function rehearseDefinition(
  context: Context,
  input: { collection: string; definition: Definition; actor: Actor },
): Promise<DefinitionImpact & { revision: number }> {
  const started = performance.now();
  const compiled = compileOrRefuse(input.definition);
  const durationMs = () => Math.round(performance.now() - started);
  return await context.longWork.run(() =>
    withSession(context.db, async (session) => {
      await createAssessment(session);
      return await session.snapshot(async (snapshot) => {
        const { revision } = await findHead(snapshot);
        await requireReferencedCollections(snapshot, input);
        const existing = await findCollection(snapshot, input.collection);
        if (existing === null) return { ...nothing(), durationMs: durationMs(), revision };
        const subject = {
          collectionId: existing.id,
          compiled,
          change: compareConstraints(JSON.parse(existing.definitionContent), input.definition),
          pace: new JudgePace(assessmentWork),
        };
        const impact = await assess(snapshot, subject, input.collection);
        return { dryRun: true, ...impact, durationMs: durationMs(), revision };
      });
    }),
  );
}

async function assess(snapshot: Snapshot, subject: Subject, collection: string) {
  const live = await assessLive(snapshot, subject);
  const pending = await assessPending(snapshot, subject);
  await measureAssessment(snapshot);
  return {
    live: { checked: live, ...(await explainLiveImpact(snapshot, subject)) },
    pending: { checked: pending, ...(await explainPendingImpact(snapshot, subject, collection)) },
  };
}

function nothing(): Omit<DefinitionImpact, 'durationMs'> {
  const none = { checked: 0, failing: 0, sample: [] };
  return { dryRun: true, live: none, pending: none };
}
