/**
 * Joins one row by its key to each row before it, or nothing where there is none. One look-up for each, and never, as
 * planned from statistics that know nothing of the rows before, the whole table compared with those.
 */
export const lookUp = (alias: string, table: string, column: string, value: string) =>
  `LEFT JOIN LATERAL (SELECT * FROM ${table} AS sought WHERE sought.${column} = ${value} LIMIT 1) AS ${alias} ON true`;

/** Joins the content of a version `v`, parsed once however often it is looked at. */
export const parsedContent = `CROSS JOIN LATERAL (SELECT v.content::jsonb AS data OFFSET 0) AS parsed`;
