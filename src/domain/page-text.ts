import { formatCursor } from '../lib/cursor.js';
import { sha256 } from '../lib/digest.js';
import { contentTag } from './entity-tag.js';
import type { KeptPage } from './kept-answer.js';
import { PageAnswer } from './record-answer.js';

const beginning = '{"items":[';

/** What a page is made of, whichever revision it is shown as of. */
type PageParts = Pick<KeptPage, 'digest' | 'fingerprint' | 'after'>;

/** @param items their JSON, with commas between them */
export function makePage(parts: PageParts, items: string, revision: number): KeptPage {
  return { type: 'page', ...parts, itemsLength: items.length, shown: assemble(parts, items, revision) };
}

/** The page as of a revision at which its items are the same; it stays as it was shown last. */
export function showPage(page: KeptPage, revision: number): PageAnswer {
  if (page.shown.revision !== revision) {
    const items = page.shown.text.slice(beginning.length, beginning.length + page.itemsLength);
    page.shown = assemble(page, items, revision);
  }
  return page.shown;
}

function assemble({ digest, fingerprint, after }: PageParts, items: string, revision: number): PageAnswer {
  const next = after === null ? null : formatCursor([revision, fingerprint, after]);
  const text = `${beginning}${items}],"next":${JSON.stringify(next)},"revision":${revision}}`;
  const tag = contentTag(sha256(`${digest} ${revision} ${next}`).toString('hex'));
  return new PageAnswer(text, tag, revision, next);
}
