import {
  depthFailure,
  type ExactJsonFailure,
  memberFailure,
  numberFailure,
  stringFailure,
  unstorableText,
} from './exact-json-failure.js';
import { isExactNumber } from './exact-number.js';
import { boundedPointer } from './json-pointer.js';

/** An open array or object on the way to where the reader is. */
interface Frame {
  isArray: boolean;
  /** Names seen so far in an object. */
  names: Set<string> | null;
  /** The member or index that is being read. */
  token: string | number;
}

/** What may come next; `end` is the end of the text. */
type Expected = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma-or-end' | 'end';

class Malformed extends Error {
  constructor(readonly at: number) {
    super();
  }
}

/**
 * Reads a JSON text slowly and strictly and says all that keeps it from being stored exactly, in the order of
 * the text; or, alone, where it stops being JSON. Stops at the first container that is too deep.
 */
export function inspectJson(text: string, maxDepth: number, maxFailures: number): ExactJsonFailure[] {
  const reader = new Inspector(text, maxDepth, maxFailures);
  try {
    reader.read();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return [malformedFailure(text, error.at)];
  }
  return reader.failures;
}

class Inspector {
  readonly failures: ExactJsonFailure[] = [];
  private readonly frames: Frame[] = [];
  private expected: Expected = 'value';
  private at = 0;
  private isTooDeep = false;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
    private readonly maxFailures: number,
  ) {}

  read(): void {
    for (this.skipSpace(); this.at < this.text.length; this.skipSpace()) {
      this.step(this.text[this.at] as string);
      // What follows may be megabytes of brackets: nobody learns anything from reading them.
      if (this.isTooDeep) return;
    }
    if (this.expected !== 'end') throw new Malformed(this.at);
  }

  private step(char: string): void {
    const frame = this.frames.at(-1);
    const isEnd = char === (frame?.isArray ? ']' : '}');
    if (this.expected === 'value') this.value(char);
    else if (this.expected === 'name') this.name(char);
    else if (this.expected === 'colon') this.take(char, ':', 'value');
    else if (frame === undefined) throw new Malformed(this.at);
    else if (isEnd) this.close();
    else if (this.expected === 'value-or-end') this.value(char);
    else if (this.expected === 'name-or-end') this.name(char);
    else {
      this.take(char, ',', frame.isArray ? 'value' : 'name');
      if (typeof frame.token === 'number') frame.token += 1;
    }
  }

  private take(char: string, wanted: string, expected: Expected): void {
    if (char !== wanted) throw new Malformed(this.at);
    this.at += 1;
    this.expected = expected;
  }

  private value(char: string): void {
    if (char === '{' || char === '[') {
      this.open(char === '[');
      return;
    }
    if (char === '"') {
      const value = this.string();
      if (unstorableText.test(value)) this.report(() => stringFailure(this.pointer(), value));
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      if (!isExactNumber(this.number())) this.report(() => numberFailure(this.pointer()));
    } else {
      const word = ['true', 'false', 'null'].find((each) => this.text.startsWith(each, this.at));
      if (word === undefined) throw new Malformed(this.at);
      this.at += word.length;
    }
    this.expected = this.frames.length === 0 ? 'end' : 'comma-or-end';
  }

  private open(isArray: boolean): void {
    if (this.frames.length === this.maxDepth) {
      this.report(() => depthFailure(this.pointer(), this.maxDepth));
      this.isTooDeep = true;
      return;
    }
    this.frames.push({ isArray, names: isArray ? null : new Set(), token: isArray ? 0 : '' });
    this.at += 1;
    this.expected = isArray ? 'value-or-end' : 'name-or-end';
  }

  private close(): void {
    this.frames.pop();
    this.at += 1;
    this.expected = this.frames.length === 0 ? 'end' : 'comma-or-end';
  }

  private name(char: string): void {
    const frame = this.frames.at(-1);
    if (char !== '"' || frame === undefined) throw new Malformed(this.at);
    const name = this.string();
    frame.token = name;
    if (unstorableText.test(name)) this.report(() => stringFailure(this.pointer(1), name));
    if (frame.names?.has(name)) this.report(() => duplicateFailure(this.pointer()));
    frame.names?.add(name);
    const outer = this.frames.at(-2);
    if (name === '__proto__' || (name === 'prototype' && outer?.token === 'constructor')) {
      this.report(() => memberFailure(this.pointer()));
    }
    this.expected = 'colon';
  }

  /** The string that starts here, unescaped. */
  private string(): string {
    const start = this.at;
    let end = start + 1;
    let isPlain = true;
    for (; this.text[end] !== '"'; end += 1) {
      const code = this.text.charCodeAt(end);
      if (Number.isNaN(code) || code < 0x20) throw new Malformed(end);
      if (code !== 0x5c) continue;
      isPlain = false;
      if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.text.slice(end + 1, end + 6)))
        throw new Malformed(end);
      end += 1;
    }
    this.at = end + 1;
    return isPlain ? this.text.slice(start + 1, end) : JSON.parse(this.text.slice(start, end + 1));
  }

  /** The number literal that starts here. */
  private number(): string {
    const start = this.at;
    if (this.text[this.at] === '-') this.at += 1;
    if (this.text[this.at] === '0') this.at += 1;
    else this.digits();
    if (this.text[this.at] === '.') {
      this.at += 1;
      this.digits();
    }
    if (this.text[this.at] === 'e' || this.text[this.at] === 'E') {
      this.at += 1;
      if (this.text[this.at] === '+' || this.text[this.at] === '-') this.at += 1;
      this.digits();
    }
    return this.text.slice(start, this.at);
  }

  private digits(): void {
    const start = this.at;
    for (
      let char = this.text[this.at];
      char !== undefined && char >= '0' && char <= '9';
      char = this.text[this.at]
    ) {
      this.at += 1;
    }
    if (this.at === start) throw new Malformed(start);
  }

  private skipSpace(): void {
    for (let char = this.text[this.at]; char === ' ' || char === '\n' || char === '\r' || char === '\t'; ) {
      this.at += 1;
      char = this.text[this.at];
    }
  }

  private pointer(without = 0): string {
    return boundedPointer(this.frames.slice(0, this.frames.length - without).map(({ token }) => token));
  }

  private report(failure: () => ExactJsonFailure): void {
    if (this.failures.length < this.maxFailures) this.failures.push(failure());
  }
}

function duplicateFailure(pointer: string): ExactJsonFailure {
  return { pointer, code: 'duplicate-member', message: 'must not be there twice' };
}

function malformedFailure(text: string, at: number): ExactJsonFailure {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const found =
    at < text.length ? `${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}` : 'the end';
  const message = `is not JSON: unexpected ${found} in line ${line}, column ${column}`;
  return { pointer: '', code: 'malformed-json', message };
}
