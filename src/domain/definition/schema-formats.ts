import { fullFormats } from 'ajv-formats/dist/formats.js';

type FormatCheck = (text: string) => boolean;

/**
 * Longest text, in UTF-16 code units, that each supported format accepts. Some of the expressions behind
 * them backtrack, though never exponentially: on texts of these lengths all take less than a millisecond.
 */
const maxLengths = {
  date: 10,
  time: 40,
  'date-time': 50,
  duration: 100,
  email: 320,
  hostname: 254,
  ipv4: 15,
  ipv6: 45,
  uri: 2_048,
  'uri-reference': 2_048,
  uuid: 45,
  'json-pointer': 2_048,
  'relative-json-pointer': 2_048,
} as const;

type FormatName = keyof typeof maxLengths;

export const formatNames = Object.keys(maxLengths) as FormatName[];

/** The supported formats; a text that is too long for one is not of that format. */
export const formatChecks = new Map<string, FormatCheck>(
  formatNames.map((name) => {
    const check = checkOf(fullFormats[name]);
    return [name, (text) => text.length <= maxLengths[name] && check(text)];
  }),
);

function checkOf(format: (typeof fullFormats)[FormatName]): FormatCheck {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return format as FormatCheck;
  if (typeof format === 'object' && 'validate' in format) return checkOf(format.validate as RegExp);
  throw new TypeError('unknown kind of format');
}
