import type { ChatTemplates } from './chat-templates.js';
import { checkGrammar, grammarOfCallsOnly } from './grammar.js';
import type {
  ChatFormatOptions,
  CompletionOptions,
  FormattedChat,
  LlamaContext,
} from './llama-door.js';
import { RequestError, notSupported } from './request-error.js';
import { readSpecialTokens, type SpecialTokens } from './special-tokens.js';

/** The input of an answer: a chat, or a plain text to continue. */
export type Prompt =
  | {
      readonly messages: readonly unknown[];
      readonly format: Omit<ChatFormatOptions, 'jinja' | 'reasoning_format'>;
      /** Images as data URLs, in the order of their markers in the messages. */
      readonly images: readonly string[];
    }
  | { readonly text: string };

/** A prompt as text, and the options with which llama.cpp computes the same text. */
export interface FormattedPrompt {
  readonly text: string;
  readonly options: Omit<CompletionOptions, 'n_predict'>;
}

/** A chat as text, with the template that replaces the model's own; null: the model's own. */
interface TemplatedChat {
  readonly chat: FormattedChat;
  readonly template: string | null;
}

/** llama.cpp's template for a model without one (ChatML). */
const CHATML = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/** The facts of a model that its prompts depend on. */
interface PromptModel {
  readonly modelKey: string;
  readonly vision: boolean;
  readonly templates: ChatTemplates;
}

/** Formats prompts with the model's chat template. */
export class Prompts {
  readonly special: SpecialTokens;
  readonly #context: LlamaContext;
  readonly #model: PromptModel;

  constructor(context: LlamaContext, model: PromptModel) {
    this.#context = context;
    this.#model = model;
    this.special = readSpecialTokens(context);
  }

  /** @throws RequestError where the template or a schema is refused, and for images without a projector */
  format(prompt: Prompt): FormattedPrompt {
    if ('text' in prompt) {
      const text = this.#withStart(prompt.text);
      return { text, options: { prompt: text } };
    }
    const { messages, images } = prompt;
    if (images.length > 0 && !this.#model.vision) {
      throw notSupported(
        `${this.#model.modelKey} was loaded without a projector and does not accept images`,
        'messages',
      );
    }
    const format: ChatFormatOptions = { ...prompt.format, jinja: true, reasoning_format: 'auto' };
    const { start } = this.special;
    // llama.cpp adds the first token itself to a prompt with images.
    const { chat, template } =
      start === null || images.length > 0
        ? { chat: this.#apply(messages, null, format), template: null }
        : this.#applyWithStart(messages, format, start);
    checkGrammar(chat.grammar, format.tools === undefined ? 'response_format' : 'tools');
    const grammar =
      format.tool_choice === 'required'
        ? grammarOfCallsOnly(chat.grammar, chat.generation_prompt ?? '')
        : null;
    return {
      text: chat.prompt,
      options: {
        ...format,
        messages,
        ...(template !== null && { chat_template: template }),
        ...(grammar !== null && { grammar }),
        ...(images.length > 0 && { media_paths: images }),
      },
    };
  }

  #withStart(text: string): string {
    const { start } = this.special;
    return start === null || text.startsWith(start) ? text : start + text;
  }

  /**
   * Formats a chat so that it begins with `start` once. llama.cpp takes one `start` off the result, so the template gets
   * one more than it needs.
   */
  #applyWithStart(
    messages: readonly unknown[],
    format: ChatFormatOptions,
    start: string,
  ): TemplatedChat {
    const source = this.#templateFor(format);
    const template = `{{ bos_token }}${source}`;
    const chat = this.#apply(messages, template, format);
    if (chat.prompt.startsWith(start)) return { chat, template };
    const withTwo = `{{ bos_token }}${template}`;
    return { chat: this.#apply(messages, withTwo, format), template: withTwo };
  }

  /** The model's template; for tools the one for tools, where the model has two. */
  #templateFor({ tools }: ChatFormatOptions): string {
    const { chat, tools: forTools } = this.#model.templates;
    return (tools === undefined ? null : forTools) ?? chat ?? CHATML;
  }

  #apply(
    messages: readonly unknown[],
    template: string | null,
    format: ChatFormatOptions,
  ): FormattedChat {
    try {
      return this.#context.getFormattedChat(messages, template ?? undefined, format);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RequestError(400, `the model's chat template refuses the request: ${reason}`, {
        code: 'invalid_value',
      });
    }
  }
}
