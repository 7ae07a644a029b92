import { field } from '../../field.js';
import type { ChatFormatOptions, FormattedChat } from '../llama-door.js';
import type { TemplateGaps } from './template-prelude.js';

/** Formats messages with the model's own template; null where the template refuses them. */
type Render = (
  messages: readonly unknown[],
  format: Partial<ChatFormatOptions>,
) => FormattedChat | null;

const TOOL = {
  type: 'function',
  function: {
    name: 'probe_name',
    description: 'probe',
    parameters: { type: 'object', properties: { probe_field: { type: 'string' } } },
  },
};
const USER = { role: 'user', content: 'probe_user' };
const SYSTEM = { role: 'system', content: 'probe_system' };
/** The id has the nine characters that Mistral's templates ask for. */
const TOOL_CHAT = [
  USER,
  {
    role: 'assistant',
    content: '',
    tool_calls: [
      {
        id: 'probe0001',
        type: 'function',
        function: { name: 'probe_name', arguments: '{"probe_field":"probe_value"}' },
      },
    ],
  },
  { role: 'tool', tool_call_id: 'probe0001', name: 'probe_name', content: 'probe_result' },
];
/** The same, with a text beside the call. */
const TEXT_AND_CALL = TOOL_CHAT.map((message) =>
  message.role === 'assistant' ? { ...message, content: 'probe_text' } : message,
);

const TEXT_AND_CALL_WORDS = ['probe_text', 'probe_value'];
/** The same, with reasoning. */
const REASONED_CALL = TEXT_AND_CALL.map((message) =>
  message.role === 'assistant' ? { ...message, reasoning_content: 'probe_reasoning' } : message,
);

/**
 * Finds out what a template drops or refuses: it formats short chats and looks for their texts in the result. llama.cpp's own
 * analysis of a template says less: it knows nothing of results of tools.
 */
export class TemplateProbe {
  readonly #render: Render;
  readonly #hasSystemRole: boolean;
  #takesSystem: boolean | null = null;
  #takesSystemAlone: boolean | null = null;
  #takesTools: boolean | null = null;
  #takesTextWithCalls: boolean | null = null;
  #takesTextWithReasonedCalls: boolean | null = null;

  /**
   * @param hasSystemRole - what llama.cpp says of the template. Where it is false, llama.cpp itself puts the system message into
   *   the next one; but it does not see that a template behind a prelude has no such role.
   */
  constructor(render: Render, hasSystemRole: boolean) {
    this.#render = render;
    this.#hasSystemRole = hasSystemRole;
  }

  /** The gaps that matter for a chat. Each is looked for once, when a chat first needs it. */
  gapsFor(messages: readonly unknown[], { tools }: Partial<ChatFormatOptions>): TemplateGaps {
    const usesTools = tools !== undefined || messages.some(isOfTools);
    if (usesTools && !this.#hasTools()) {
      // The description of the tools stands in a system message.
      return { tools: true, system: !this.#hasSystemRole || !this.#hasSystem() };
    }
    const system = messages.filter((message) => field(message, 'role') === 'system');
    if (system.length === 0) return { tools: false, system: false };
    const isAlone = system.length === messages.length;
    return { tools: false, system: isAlone ? !this.#hasSystemAlone() : !this.#hasSystem() };
  }

  /** Whether the template drops the text or the calls of a message that has both, as those of Llama 3 and Hermes do. */
  dropsTextOrCalls(messages: readonly unknown[]): boolean {
    if (!messages.some(hasTextAndCalls) || !this.#hasTools()) return false;
    this.#takesTextWithCalls ??= this.#writes(TEXT_AND_CALL_WORDS, TEXT_AND_CALL, {
      tools: [TOOL],
    });
    return !this.#takesTextWithCalls;
  }

  /** Whether the template drops the text or the calls of a message that has both and reasoning, as llama.cpp's form for gpt-oss. */
  dropsTextOfReasonedCalls(messages: readonly unknown[]): boolean {
    const isMeant = (message: unknown): boolean =>
      hasTextAndCalls(message) && hasReasoning(message);
    if (!messages.some(isMeant) || !this.#hasTools()) return false;
    this.#takesTextWithReasonedCalls ??= this.#writes(TEXT_AND_CALL_WORDS, REASONED_CALL, {
      tools: [TOOL],
    });
    return !this.#takesTextWithReasonedCalls;
  }

  #hasSystem(): boolean {
    this.#takesSystem ??= this.#writes(['probe_system', 'probe_user'], [SYSTEM, USER], {});
    return this.#takesSystem;
  }

  #hasSystemAlone(): boolean {
    this.#takesSystemAlone ??= this.#writes(['probe_system'], [SYSTEM], {});
    return this.#takesSystemAlone;
  }

  #hasTools(): boolean {
    const texts = ['probe_name', 'probe_field', 'probe_value', 'probe_result'];
    const format = { tools: [TOOL], tool_choice: 'required' };
    // Without a grammar, llama.cpp has not found out in which form the model writes a call, and cannot read one.
    this.#takesTools ??=
      this.#writes(['probe_name'], [USER], format) &&
      this.#writes(texts, TOOL_CHAT, format) &&
      this.#render([USER], format)?.grammar !== '';
    return this.#takesTools;
  }

  #writes(
    texts: readonly string[],
    messages: readonly unknown[],
    format: Partial<ChatFormatOptions>,
  ): boolean {
    const chat = this.#render(messages, format);
    return chat !== null && texts.every((text) => chat.prompt.includes(text));
  }
}

/** Whether a message has a text and calls of tools. */
export function hasTextAndCalls(message: unknown): boolean {
  const content = field(message, 'content');
  const toolCalls = field(message, 'tool_calls');
  const hasText = Array.isArray(content) ? content.length > 0 : (content ?? '') !== '';
  return hasText && Array.isArray(toolCalls) && toolCalls.length > 0;
}

/** Whether a message has reasoning. */
export function hasReasoning(message: unknown): boolean {
  return (field(message, 'reasoning_content') ?? '') !== '';
}

function isOfTools(message: unknown): boolean {
  return field(message, 'role') === 'tool' || field(message, 'tool_calls') !== undefined;
}
