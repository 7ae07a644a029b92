import { type LlamaContext, type LlamaContextClass, TOKENIZER_LISTS } from '../llama-door.js';

/** The chat templates in the model's file. `null`: it has none. */
export interface ChatTemplates {
  readonly chat: string | null;
  /** For chats with tools. `null`: the same as for other chats. */
  readonly tools: string | null;
}

const CHAT = 'tokenizer.chat_template';
const TOOLS = 'tokenizer.chat_template.tool_use';
/** `getModelInfo` cuts a text at 16,383 bytes. From this length on, the file itself is read. */
const WHOLE_BYTES_MAX = 16_000;

/** Reads the templates of a loaded model. */
export async function readChatTemplates(
  LlamaContext: Pick<LlamaContextClass, 'loadModelInfo'>,
  context: Pick<LlamaContext, 'getModelInfo'>,
  file: string,
): Promise<ChatTemplates> {
  const { metadata } = context.getModelInfo();
  const mayBeCut = [metadata[CHAT], metadata[TOOLS]].some(
    (text = '') => Buffer.byteLength(text) >= WHOLE_BYTES_MAX,
  );
  const whole = mayBeCut ? await LlamaContext.loadModelInfo(file, TOKENIZER_LISTS) : metadata;
  const textAt = (key: string): string | null => {
    const text = whole[key];
    return text === undefined ? null : String(text);
  };
  return { chat: textAt(CHAT), tools: textAt(TOOLS) };
}
