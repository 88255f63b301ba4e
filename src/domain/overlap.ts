/** Another open changeset in whose way this one is, or the other way round. */
export interface Overlap {
  changeset: string;
  title: string;
  state: 'open' | 'scheduled';
  /** How many records both have a pending version of, and some of them. */
  recordCount: number;
  records: { collection: string; key: string }[];
  /** How many unique values both would hold, and some of them with the two records. */
  uniqueValueCount: number;
  uniqueValues: { collection: string; pointer: string; key: string; otherKey: string }[];
}
