/** Who makes a call: the author of what it stages and commits. */
export interface Actor {
  name: string;
  /** May override rules, as `force` on a rollback does. */
  admin: boolean;
}
