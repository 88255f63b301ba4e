/**
 * One thing that is wrong, the element of `errors` in every problem document and of `errors` and
 * `warnings` in a validation report.
 */
export interface Failure {
  /** JSON Pointer (RFC 6901) to the value that is wrong; where it points from is `in`, the body by default. */
  pointer: string;
  /** A stable, machine-readable word. */
  code: string;
  /** A sentence for a person: what is wrong and the way out. */
  message: string;
  /** The id of the rule that failed, for failures of a definition's rules. */
  rule?: string;
  severity?: 'error' | 'warning';
  /** Which part of the request `pointer` points into, when it is not the body. */
  in?: 'path' | 'query' | 'header';
  /** The row that the failure belongs to, when a call is about rows: its index in the array, from 0. */
  row?: number;
  /** The record that the failure belongs to, when a call is about several. */
  collection?: string;
  key?: string;
}
