import { RequestError, invalidField, notSupported } from '../../engine/request-error.js';
import { arrayField, objectsField, stringField } from '../fields.js';
import { isJsonObject, type JsonObject } from '../json.js';
import { withSystemFirst } from './system-first.js';

/** The place of an image in a prompt, from llama.cpp's mtmd.h. */
const IMAGE_MARKER = '<__media__>';
const DATA_URL = /^data:image\/[a-z0-9.+-]+;base64,/i;
const WEB_ADDRESS = /^https?:/i;
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** Messages as the chat template takes them, and their images as data URLs. */
export interface ReadMessages {
  readonly messages: readonly JsonObject[];
  readonly images: readonly string[];
}

/** Reads `messages`. Only images inside the request are taken: the engine opens no file or address for a client. */
export function readMessages(body: JsonObject): ReadMessages {
  const given = objectsField(body, 'messages') ?? [];
  if (given.length === 0) throw invalidField('messages', 'must hold at least one message');
  const images: string[] = [];
  const messages = given.map((message, index) =>
    readMessage(message, `messages[${index}]`, images),
  );
  if (images.length > 0 && countMarkers(messages) !== images.length) {
    throw invalidField('messages', `must not hold the text ${IMAGE_MARKER} beside an image`);
  }
  return { messages: withSystemFirst(messages), images };
}

function readMessage(message: JsonObject, path: string, images: string[]): JsonObject {
  const role = stringField(message, 'role', path) ?? '';
  if (!ROLES.includes(role))
    throw invalidField(`${path}.role`, `must be one of ${ROLES.join(', ')}`);
  const content = readContent(message, path, images);
  const calls = objectsField(message, 'tool_calls');
  if (content === null && calls === null && role !== 'assistant') {
    throw invalidField(`${path}.content`, 'is required');
  }
  const reasoning = stringField(message, 'reasoning_content', path);
  const callId = stringField(message, 'tool_call_id', path);
  const name = stringField(message, 'name', path);
  return {
    // Templates know `system`; OpenAI renamed the role.
    role: role === 'developer' ? 'system' : role,
    content: content ?? '',
    ...(calls !== null &&
      calls.length > 0 && {
        tool_calls: calls.map((call, at) => readCall(call, `${path}.tool_calls[${at}]`)),
      }),
    ...(reasoning !== null && { reasoning_content: reasoning }),
    ...(callId !== null && { tool_call_id: callId }),
    ...(name !== null && { name }),
  };
}

function readContent(
  message: JsonObject,
  path: string,
  images: string[],
): string | readonly JsonObject[] | null {
  const content = message['content'];
  if (content === undefined || content === null || typeof content === 'string')
    return content ?? null;
  const parts = arrayField(message, 'content') ?? [];
  const read = parts.map((part, index) => readPart(part, `${path}.content[${index}]`, images));
  // Most templates take a string only.
  return read.every(({ isImage }) => !isImage)
    ? read.map(({ text }) => text).join('\n')
    : read.map(({ text }) => ({ type: 'text', text }));
}

function readPart(
  part: unknown,
  path: string,
  images: string[],
): { readonly text: string; readonly isImage: boolean } {
  if (!isJsonObject(part)) throw invalidField(path, 'must be an object');
  switch (part['type']) {
    case 'text':
      return { text: stringField(part, 'text') ?? '', isImage: false };
    case 'refusal':
      return { text: stringField(part, 'refusal') ?? '', isImage: false };
    case 'image_url':
      images.push(readImage(part['image_url'], path));
      return { text: IMAGE_MARKER, isImage: true };
    default:
      throw notSupported(
        `${path}: the engine takes parts of type 'text' and 'image_url'`,
        'messages',
      );
  }
}

function readImage(value: unknown, path: string): string {
  const url = isJsonObject(value) ? value['url'] : value;
  if (typeof url === 'string' && DATA_URL.test(url)) return url;
  const place = `${path}.image_url.url`;
  if (typeof url === 'string' && WEB_ADDRESS.test(url)) {
    throw notSupported(
      `${place}: the engine does not download images; send the image as a data URL (data:image/png;base64,...)`,
      'messages',
    );
  }
  throw new RequestError(400, `'${place}' must be a data URL (data:image/png;base64,...)`, {
    code: 'invalid_value',
    param: 'messages',
  });
}

function readCall(call: JsonObject, path: string): JsonObject {
  const called = call['function'];
  if (!isJsonObject(called)) throw invalidField(`${path}.function`, 'must be an object');
  return {
    id: stringField(call, 'id') ?? '',
    type: 'function',
    function: {
      name: stringField(called, 'name') ?? '',
      arguments: readArguments(called['arguments'], `${path}.function.arguments`),
    },
  };
}

/**
 * The arguments of an earlier call, as a JSON text. Clients send an empty text for a call without arguments, and some send the
 * object itself. llama.cpp refuses a whole chat for a text that is not JSON.
 */
function readArguments(value: unknown, path: string): string {
  if (value === undefined || value === null || value === '') return '{}';
  if (isJsonObject(value)) return JSON.stringify(value);
  if (typeof value !== 'string') throw invalidField(path, 'must be a JSON text or an object');
  if (isObjectText(value)) return value;
  // An answer that the token limit has cut off comes back like this. The model sees what it has written.
  return JSON.stringify({ incomplete: value });
}

function isObjectText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    // JSON.parse throws for a text that is not JSON.
    return false;
  }
}

function countMarkers(messages: readonly JsonObject[]): number {
  return JSON.stringify(messages).split(IMAGE_MARKER).length - 1;
}
