import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** An event as a browser would have it. */
export interface StreamEvent {
  /** The last `id` that has been seen. */
  id: string;
  event: string;
  data: string;
}

/** A stream of the feed, read piece by piece. */
export interface Following<Item> {
  status: number;
  headers: Record<string, string | undefined>;
  /** What has arrived, as it came. */
  text: () => string;
  /** The next item, waited for; null when the stream has ended as it should. @throws when it was cut off */
  next: () => Promise<Item | null>;
  /** Reads no more. */
  pause: () => void;
  resume: () => void;
  /** Breaks the connection off. */
  cut: () => void;
}

interface Reading<Item> {
  /** Takes text apart into items, keeping what is not whole yet. */
  parse: (text: string) => Item[];
}

/** Follows the feed as Server-Sent Events. */
export function followEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<Following<StreamEvent>> {
  return follow(url, { Accept: 'text/event-stream', ...headers }, eventParser());
}

/** Follows the feed as lines of JSON. */
export function followLines(url: string, headers: Record<string, string> = {}): Promise<Following<string>> {
  return follow(url, { Accept: 'application/x-ndjson', ...headers }, lineParser());
}

/** As the HTML standard says, as far as this service writes it. */
function eventParser(): Reading<StreamEvent> {
  let rest = '';
  let id = '';
  return {
    parse: (text) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      return blocks.flatMap((block) => {
        let event = 'message';
        const data: string[] = [];
        for (const line of block.split('\n')) {
          const [, name = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
          if (name === 'id') id = value;
          if (name === 'event') event = value;
          if (name === 'data') data.push(value);
        }
        return data.length === 0 ? [] : [{ id, event, data: data.join('\n') }];
      });
    },
  };
}

function lineParser(): Reading<string> {
  let rest = '';
  return {
    parse: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      return lines;
    },
  };
}

async function follow<Item>(
  url: string,
  headers: Record<string, string>,
  { parse }: Reading<Item>,
): Promise<Following<Item>> {
  const call = request(url, { headers, agent: false });
  const response = await responseOf(call);
  const items: Item[] = [];
  let text = '';
  let end: 'open' | 'ended' | 'cut' = 'open';
  let tell = () => {};
  const finish = (how: 'ended' | 'cut') => {
    if (end === 'open') end = how;
    tell();
  };
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    items.push(...parse(piece));
    tell();
  });
  response.once('end', () => finish('ended'));
  response.once('error', () => finish('cut'));
  response.once('close', () => finish('cut'));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers as Record<string, string | undefined>,
    text: () => text,
    next: async () => {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) return item;
        if (end === 'ended') return null;
        if (end === 'cut') throw new Error('the stream was cut off');
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
    },
    pause: () => response.pause(),
    resume: () => response.resume(),
    cut: () => call.destroy(),
  };
}

function responseOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve);
    call.on('error', reject);
    call.end();
  });
}
