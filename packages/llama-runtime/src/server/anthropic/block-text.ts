import { invalidField, notSupported, type RequestError } from '../../engine/request-error.js';
import { objectField, stringField } from '../fields.js';
import { isJsonObject, type JsonObject } from '../json.js';

/** The text of a block that a template can take as text; null where the block is of another type. */
export function textOfBlock(block: JsonObject, path: string): string | null {
  switch (block['type']) {
    case 'text':
      return stringField(block, 'text') ?? '';
    case 'document':
      return documentText(block, path);
    case 'search_result': {
      const head = [stringField(block, 'title'), stringField(block, 'source')];
      return `${head.join('\n')}\n\n${textOf(block['content'], path)}`;
    }
    // The result of a search for tools. The tools themselves are in `tools`.
    case 'tool_reference':
      return stringField(block, 'tool_name') ?? '';
    default:
      return null;
  }
}

/** A text, or blocks that are texts. */
export function textOf(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (!Array.isArray(value))
    throw invalidField(path, 'must be a string or an array of text blocks');
  return value
    .map((block: unknown) => {
      const text = isJsonObject(block) ? textOfBlock(block, path) : null;
      if (text === null) throw unknownBlock(isJsonObject(block) ? block : {}, path);
      return text;
    })
    .join('\n');
}

/** The text of a document, with its title. */
function documentText(block: JsonObject, path: string): string {
  const source = objectField(block, 'source') ?? {};
  const text =
    source['type'] === 'text'
      ? stringField(source, 'data')
      : source['type'] === 'content'
        ? textOf(source['content'], path)
        : null;
  if (text === null) {
    throw notSupported(
      `${path}: the engine reads documents whose source is of type 'text' or 'content'; send the text of others`,
    );
  }
  const title = stringField(block, 'title');
  return title === null ? text : `${title}\n\n${text}`;
}

export function unknownBlock(block: JsonObject, path: string): RequestError {
  return notSupported(
    `${path}: the engine does not support blocks of type '${String(block['type'])}' here`,
  );
}
