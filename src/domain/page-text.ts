import { formatCursor } from '../lib/cursor.js';
import { sha256 } from '../lib/digest.js';
import { contentTag } from './entity-tag.js';
import type { KeptPage } from './kept-answer.js';
import { PageAnswer } from './record-answer.js';

const beginning = Buffer.from('{"items":[');

/** What a page is made of, whichever revision it is shown as of. */
type PageParts = Pick<KeptPage, 'digest' | 'fingerprint' | 'after'>;

/** @param items their JSON, with commas between them */
export function makePage(parts: PageParts, items: string, revision: number): KeptPage {
  const bytes = Buffer.from(items);
  return { type: 'page', ...parts, itemsBytes: bytes.length, shown: assemble(parts, bytes, revision) };
}

/** The page as of a revision at which its items are the same; it is kept as it was shown last. */
export function showPage(page: KeptPage, revision: number): PageAnswer {
  if (page.shown.revision !== revision) {
    const items = page.shown.text.subarray(beginning.length, beginning.length + page.itemsBytes);
    page.shown = assemble(page, items, revision);
  }
  return page.shown;
}

function assemble({ digest, fingerprint, after }: PageParts, items: Buffer, revision: number): PageAnswer {
  const next = after === null ? null : formatCursor([revision, fingerprint, after]);
  const end = Buffer.from(`],"next":${JSON.stringify(next)},"revision":${revision}}`);
  const tag = contentTag(sha256(`${digest} ${revision} ${next}`).toString('hex'));
  return new PageAnswer(Buffer.concat([beginning, items, end]), tag, revision, next);
}
