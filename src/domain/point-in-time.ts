/** Which state a read asks for. */
export type PointInTime =
  | { type: 'head' }
  | { type: 'revision'; revision: number }
  | { type: 'time'; time: Date };
