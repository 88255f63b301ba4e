/**
 * A host as programs connect to it: no brackets, no dot at the end. What is judged and what is connected to must be
 * the same, so that this is the one place that strips them.
 */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
