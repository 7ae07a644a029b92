import { isJsonObject } from '../json.js';

/** The size of a prompt. */
export interface PromptSize {
  /** UTF-8 bytes of texts, names and schemas, without images and files. */
  readonly bytes: number;
  readonly images: number;
}

/** Types of content parts that hold a picture: OpenAI chat, OpenAI responses, Anthropic. */
const PICTURES = ['image_url', 'input_image', 'image', 'computer_screenshot'];
/**
 * Types of content parts, and of `source` in them, that hold encoded data. Their size in tokens is not known. A document of Anthropic is
 * not among them, because its source may also be text or content parts.
 */
const DATA = ['input_audio', 'file', 'input_file', 'base64', 'video_url', 'image_generation_call'];

/** Measures the parts of a body that become the prompt. Any depth of nesting is allowed. */
export function measurePrompt(parts: readonly unknown[]): PromptSize {
  let bytes = 0;
  let images = 0;
  const open: unknown[] = [...parts];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (isJsonObject(value)) {
      const { type } = value;
      if (typeof type === 'string' && PICTURES.includes(type) && !Array.isArray(value['enum']))
        images += 1;
      else if (typeof type === 'string' && DATA.includes(type)) continue;
      else {
        // Without a list of the fields, because most of a body is objects of two fields.
        for (const key in value) {
          bytes += key.length;
          open.push(value[key]);
        }
      }
    } else if (value !== null && value !== undefined) bytes += 4;
  }
  return { bytes, images };
}
