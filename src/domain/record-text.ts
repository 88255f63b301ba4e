/** What a record shows beside its content. */
export interface ShownRecord {
  collection: string;
  key: string;
  version: number;
  revision: number;
  committedAt: Date;
  committedBy: string;
  message: string | null;
}

/**
 * The JSON of a `RecordView`. The content is canonical JSON already, so it is neither parsed nor written anew.
 *
 * @param content the JSON of `data`
 */
export function recordText(record: ShownRecord, content: string): string {
  const { collection, key, version, revision, committedAt, committedBy, message } = record;
  return `{"collection":${JSON.stringify(collection)},"key":${JSON.stringify(key)},"version":${version},"revision":${revision},"data":${content},"committedAt":"${committedAt.toISOString()}","committedBy":${JSON.stringify(committedBy)},"message":${JSON.stringify(message)}}`;
}
