/** Who makes a call: the author of what it stages and commits. */
export interface Actor {
  name: string;
  /** May override rules, as `force` on a rollback does. */
  admin: boolean;
  /** True for a caller who has given no name, where none is asked for. */
  anonymous?: true;
}
