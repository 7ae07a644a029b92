import { isJsonObject, type JsonObject } from '../../json.js';

/** A request as it arrived: its bytes, and the same bytes parsed. */
export interface ReadRequest {
  readonly body: Buffer;
  readonly fields: JsonObject;
}

const MARK = 'x-anthropic-billing-header:';

/**
 * Makes the first block of the instructions of Claude Code the same in every request. From version 2.1.36 on, it is a line such as
 * `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=65abc;`, whose `cch` changes with every request. So no
 * engine finds the rest of the prompt in its cache, and reads the whole conversation again (ggml-org/llama.cpp #20623 and #19494,
 * musistudio/claude-code-router #1220). Only Anthropic's own API reads the line. No other byte changes.
 */
export function withSteadyBilling({ body, fields }: ReadRequest): ReadRequest {
  const blocks: unknown = fields['system'];
  const [first, ...others] = isList(blocks) ? blocks : [];
  const text = isJsonObject(first) ? first['text'] : null;
  if (!isJsonObject(first) || typeof text !== 'string' || !text.startsWith(MARK))
    return { body, fields };
  const line = Buffer.from(JSON.stringify(text));
  const at = body.indexOf(line);
  // Another client may escape the text in another way.
  if (at === -1) return { body, fields };
  return {
    body: Buffer.concat([
      body.subarray(0, at),
      Buffer.from(JSON.stringify(MARK)),
      body.subarray(at + line.length),
    ]),
    fields: { ...fields, system: [{ ...first, text: MARK }, ...others] },
  };
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
