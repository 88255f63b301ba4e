import { type CommitChangesetInput, commitChangeset } from '../../src/commands/commit-changeset.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { matchesStagedTag } from '../../src/domain/entity-tag.js';
import { getChangeset } from '../../src/queries/get-changeset.js';
import { listMembers } from '../../src/queries/list-members.js';
import { listRecords } from '../../src/queries/list-records.js';
import type { Doors } from './service.js';

/** A bug of the service, planted without touching it: doors that misbehave, or a trigger in its database. */
export interface PlantedBug {
  doors?: () => Partial<Doors>;
  sql?: string;
}

const anything = { ifMatch: { any: true as const } };

const trigger = (when: string, body: string) => `
  CREATE FUNCTION planted_bug() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
  CREATE TRIGGER planted_bug ${when} FOR EACH ROW EXECUTE FUNCTION planted_bug();`;

export const plantedBugs: Record<string, PlantedBug> = {
  'a commit that does not look at If-Match': {
    doors: () => ({
      commitPending: (context, input) =>
        commitPending(context, input.precondition.ifMatch ? { ...input, precondition: anything } : input),
    }),
  },
  'a commit of a changeset that leaves a member out': {
    doors: () => ({
      commitChangeset: async (context, input) => {
        if (!(await isAboutToCommit(context, input))) return await commitChangeset(context, input);
        await discardLastOfTwo(context, input.id);
        return await commitChangeset(context, { ...input, precondition: anything });
      },
    }),
  },
  'a rehearsal that is none': {
    doors: () => ({ revertCommit: (context, input) => revertCommit(context, { ...input, dryRun: false }) }),
  },
  'a list that is now and then served from before': {
    doors: () => {
      const kept = new Map<string, ReturnType<typeof listRecords>>();
      let reads = 0;
      return {
        listRecords: (context, input) => {
          const name = JSON.stringify(input);
          reads += 1;
          const answer =
            reads % 7 === 0 ? (kept.get(name) ?? listRecords(context, input)) : listRecords(context, input);
          kept.set(name, answer);
          return answer;
        },
      };
    },
  },
  'a point in time that is off by one': {
    doors: () => ({
      listRecords: (context, input) => {
        const { at } = input;
        const isOff = at.type === 'revision' && at.revision > 5;
        return listRecords(context, isOff ? { ...input, at: { ...at, revision: at.revision - 1 } } : input);
      },
    }),
  },
  'a preview that shows what is committed': {
    doors: () => ({
      previewRecords: async (context, input) => {
        const { page, revision } = await listRecords(context, input);
        const items = page.items.map((record) => ({ ...record, pending: false }));
        return { page: { ...page, items }, revision };
      },
    }),
  },
  'a rebase that drops what became current': {
    sql: trigger(
      'BEFORE UPDATE OF base_version_id ON version',
      `NEW.operation = OLD.operation; NEW.content = OLD.content; NEW.digest = OLD.digest; RETURN NEW;`,
    ),
  },
  'a horizon that does not move': {
    sql: trigger('BEFORE UPDATE OF horizon ON collection', `NEW.horizon = OLD.horizon; RETURN NEW;`),
  },
  'an edit that is lost': {
    sql: trigger(
      'BEFORE UPDATE OF content ON version',
      `IF NEW.edit % 3 = 0 AND NEW.revision IS NULL THEN RETURN NULL; END IF; RETURN NEW;`,
    ),
  },
  'a value that is stored as another': {
    sql: trigger(
      'BEFORE INSERT ON version',
      `NEW.content = replace(NEW.content, '"price":8', '"price":4'); NEW.digest = sha256(convert_to(NEW.content, 'UTF8')); RETURN NEW;`,
    ),
  },
  'an edit that leaves approvals and receipts as they were': {
    sql: trigger('BEFORE UPDATE OF edit ON changeset', `NEW.edit = OLD.edit; RETURN NEW;`),
  },
  'a mirror that no commit writes': {
    sql: 'DROP TRIGGER change_mirrored ON change',
  },
  'answers that are not kept': {
    sql: trigger('BEFORE INSERT ON idempotency', `RETURN NULL;`),
  },
  'a schedule that stays after it was carried out': {
    sql: trigger(
      'BEFORE UPDATE OF state ON changeset',
      `IF OLD.state = 'scheduled' AND NEW.state = 'open' THEN NEW.state = 'scheduled'; NEW.commit_at = OLD.commit_at;
         NEW.scheduled_by = OLD.scheduled_by; NEW.scheduled_at = OLD.scheduled_at; END IF; RETURN NEW;`,
    ),
  },
};

/** Whether the caller names what is there; a receipt would fall with the member that is left out. */
async function isAboutToCommit(context: Context, { id, precondition, receipt }: CommitChangesetInput) {
  const { ifMatch } = precondition;
  if (receipt !== undefined || ifMatch === undefined) return false;
  const found = await getChangeset(context, { id }).catch(() => null);
  return found?.changeset.state === 'open' && matchesStagedTag(ifMatch, found.tag);
}

async function discardLastOfTwo(context: Context, changeset: string): Promise<void> {
  const { page } = await listMembers(context, { changeset, limit: 10 });
  const last = page.items.at(-1);
  if (page.items.length < 2 || last === undefined) return;
  const { collection, key } = last;
  await discardPending(context, { collection, key, changeset, precondition: anything });
}
