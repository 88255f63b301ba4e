/**
 * A parameter whose value the planner does not see. As an array of known length, or a value known to be NULL, it makes a
 * plan for just these values look cheaper than the one that a connection keeps: the statement is planned anew each
 * time, which takes longer than running it for a handful of records. This way both look alike, and the plan is kept.
 *
 * @param parameter `$1`
 */
export const unseen = (parameter: string, type: string) => `(SELECT ${parameter}::${type})::${type}`;
