/** A parsed `If-Match` or `If-None-Match` header (RFC 9110, section 13.1). */
export type TagCondition = { any: true } | { any: false; tags: string[] };

/** What a write says it saw of the resource that it changes. */
export interface Precondition {
  ifMatch?: TagCondition;
  ifNoneMatch?: TagCondition;
}
