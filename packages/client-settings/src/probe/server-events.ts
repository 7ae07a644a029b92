/** An event of a stream of server-sent events. */
export interface ServerEvent {
  /** The name of the event. Null: the event has no name. */
  readonly event: string | null;
  readonly data: string;
}

/** Splits the text of a stream into its events. Comments are left out. */
export function parseServerEvents(text: string): readonly ServerEvent[] {
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const fields = block.split(/\r?\n/).flatMap((line) => {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, value: value ?? '' }];
    });
    const data = fields.filter(({ name }) => name === 'data').map(({ value }) => value);
    const event = fields.find(({ name }) => name === 'event')?.value ?? null;
    return data.length === 0 ? [] : [{ event, data: data.join('\n') }];
  });
}

/** The JSON value of an event's data. */
export function eventJson({ data }: ServerEvent): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new Error(`an event is not JSON: ${shorten(data)}`, { cause: error });
  }
}

/** The start of a text, for messages. */
export function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
