/** Any JSON value (RFC 8259), as `JSON.parse` gives it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. Members are own properties; `__proto__` is never among them (the parser refuses it). */
export interface JsonObject {
  [member: string]: JsonValue;
}
