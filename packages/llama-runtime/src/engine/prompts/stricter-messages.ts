type Message = Readonly<Record<string, unknown>>;

/** Length of the ids of tool calls that Mistral's templates take. */
const ID_LENGTH = 9;

/**
 * Messages as the strictest templates take them. Only for a chat that a template has refused.
 *
 * - Messages of one role in a row become one: Gemma's templates want the roles to alternate.
 * - A user's text after the results of tools becomes part of the last result: Mistral's templates do not count results, and
 *   would see two messages of the user in a row. Anthropic's clients send such texts.
 * - Ids of tool calls get nine letters and digits, which Mistral's templates ask for.
 * - A message with several calls becomes one message for each call, followed by its result: Llama's templates take one call.
 * - A chat that begins with the assistant gets an empty message of the user before it.
 */
export function stricterMessages(messages: readonly unknown[]): readonly unknown[] {
  const ids = new Map<string, string>();
  const shortId = (id: unknown): string => {
    const key = String(id);
    const short = ids.get(key) ?? `c${String(ids.size).padStart(ID_LENGTH - 1, '0')}`;
    ids.set(key, short);
    return short;
  };
  const placed: Message[] = [];
  for (const message of withSingleCalls(messages.filter(isMessage))) {
    const begins = placed.every(({ role }) => role === 'system');
    if (begins && message['role'] === 'assistant') placed.push({ role: 'user', content: '' });
    const last = placed.at(-1);
    if (last !== undefined && joins(last, message)) {
      placed[placed.length - 1] = { ...last, content: joined(last['content'], message['content']) };
    } else {
      placed.push(withIds(message, shortId));
    }
  }
  return placed;
}

/** Results follow the call that they belong to. A result without a call stays at its place. */
function withSingleCalls(messages: readonly Message[]): readonly Message[] {
  const placed: Message[] = [];
  let open: readonly Message[] = [];
  for (const message of messages) {
    const toolCalls = callsOf(message);
    if (message['role'] === 'tool') {
      const call = open.find(({ tool_calls: own }) => idOf(own) === message['tool_call_id']);
      // Calls may share an id: some clients send none. Each gets one result.
      open = open.filter((one) => one !== call);
      const at = call === undefined ? placed.length : placed.indexOf(call) + 1;
      placed.splice(at, 0, message);
    } else {
      open =
        toolCalls.length < 2
          ? [message]
          : toolCalls.map((call, index) => ({
              ...message,
              ...(index > 0 && withoutText(message)),
              tool_calls: [call],
            }));
      placed.push(...open);
    }
  }
  return placed;
}

/** The texts of a message stand in the first of its parts only. */
function withoutText({ reasoning_content: reasoning }: Message): Message {
  return { content: '', ...(reasoning !== undefined && { reasoning_content: '' }) };
}

function callsOf(message: Message): readonly Message[] {
  const { tool_calls: toolCalls } = message;
  return Array.isArray(toolCalls) ? toolCalls.filter(isMessage) : [];
}

function idOf(toolCalls: unknown): unknown {
  return Array.isArray(toolCalls) && isMessage(toolCalls[0]) ? toolCalls[0]['id'] : undefined;
}

function joins(last: Message, next: Message): boolean {
  if (next['role'] === 'user') return last['role'] === 'user' || last['role'] === 'tool';
  return (
    next['role'] === 'assistant' &&
    last['role'] === 'assistant' &&
    callsOf(last).length === 0 &&
    callsOf(next).length === 0
  );
}

function withIds(message: Message, shortId: (id: unknown) => string): Message {
  const { tool_call_id: callId } = message;
  const toolCalls = callsOf(message);
  return {
    ...message,
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map((call) => ({ ...call, id: shortId(call['id']) })),
    }),
    ...(callId !== undefined && { tool_call_id: shortId(callId) }),
  };
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null;
}

function joined(first: unknown, second: unknown): unknown {
  if (typeof first === 'string' && typeof second === 'string') {
    return [first, second].filter((text) => text !== '').join('\n\n');
  }
  return [...partsOf(first), ...partsOf(second)];
}

/** A text, or parts whose texts hold the places of images. */
function partsOf(content: unknown): readonly unknown[] {
  return Array.isArray(content) ? content : [{ type: 'text', text: content }];
}
