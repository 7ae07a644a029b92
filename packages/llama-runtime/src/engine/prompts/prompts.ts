import { field } from '../../field.js';
import type { ChatTemplates } from './chat-templates.js';
import { answerGrammar, checkGrammar, formatGrammar } from './grammar.js';
import type {
  ChatFormatOptions,
  CompletionOptions,
  FormattedChat,
  LlamaContext,
} from '../llama-door.js';
import { RequestError, invalidField, notSupported } from '../request-error.js';
import { readSchemas } from './schemas.js';
import type { SpecialTokens } from './special-tokens.js';
import { stricterMessages } from './stricter-messages.js';
import { TemplateProbe, hasReasoning, hasTextAndCalls } from './template-gaps.js';
import { preludeOf } from './template-prelude.js';

/** The input of an answer: a chat, or a plain text to continue. */
export type Prompt =
  | {
      readonly messages: readonly unknown[];
      readonly format: Omit<ChatFormatOptions, 'jinja' | 'reasoning_format'>;
      /** Images as data URLs, in the order of their markers in the messages. */
      readonly images: readonly string[];
      /** Whether the answer continues the last message, which is a text of the assistant. */
      readonly continues: boolean;
    }
  | { readonly text: string };

/** A prompt as text, and the options with which llama.cpp computes the same text. */
export interface FormattedPrompt {
  readonly text: string;
  readonly options: Omit<CompletionOptions, 'n_predict'>;
  /** The text of the message that the answer continues; null: the answer begins a message. */
  readonly begun: string | null;
}

/** A chat as text, and what it was made from. */
interface TemplatedChat {
  readonly chat: FormattedChat;
  readonly messages: readonly unknown[];
  readonly format: ChatFormatOptions;
  /** Replaces the model's own template; null: the model's own. */
  readonly template: string | null;
}

/** llama.cpp's template for a model without one (ChatML). */
const CHATML = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/** A variable of the template: the text that the answer continues. */
const BEGUN = 'mai_begun';
const WRITE_BEGUN = `{% if add_generation_prompt %}{{ ${BEGUN} }}{% endif %}`;
/** The templates of models that always think, such as DeepSeek R1, begin an answer with this mark. */
const THINK = '<think>';
const NO_THOUGHT = '\n</think>\n\n';

/** The facts of a model that its prompts depend on. */
interface PromptModel {
  readonly modelKey: string;
  readonly vision: boolean;
  readonly templates: ChatTemplates;
  readonly special: SpecialTokens;
}

/** Formats prompts with the model's chat template. */
export class Prompts {
  readonly #context: LlamaContext;
  readonly #model: PromptModel;
  readonly #probe: TemplateProbe;

  constructor(context: LlamaContext, model: PromptModel) {
    this.#context = context;
    this.#model = model;
    const { systemRole } = context.getModelInfo().chatTemplates.jinja.defaultCaps;
    this.#probe = new TemplateProbe((messages, format) => {
      try {
        return this.#apply(messages, null, chatFormatOf(format));
      } catch {
        // The template refuses the messages.
        return null;
      }
    }, systemRole);
  }

  /** @throws RequestError where the template or a schema is refused, and for images without a projector */
  format(prompt: Prompt): FormattedPrompt {
    if ('text' in prompt) {
      const text = this.#withStart(prompt.text);
      return { text, options: { prompt: text }, begun: null };
    }
    const { images } = prompt;
    if (images.length > 0 && !this.#model.vision) {
      throw notSupported(
        `${this.#model.modelKey} was loaded without a projector and does not accept images`,
        'messages',
      );
    }
    // llama.cpp adds the first token itself to a prompt with images.
    const start = images.length > 0 ? null : this.#model.special.start;
    const asked = chatFormatOf(readSchemas(prompt.format));
    const answered = prompt.continues
      ? this.#continued(prompt.messages, asked)
      : { messages: prompt.messages, format: asked, begun: null };
    const { begun } = answered;
    const { chat, messages, format, template } = this.#fit(
      answered.messages,
      answered.format,
      start,
    );
    if (chat.prompt === '')
      throw invalidField('messages', "has no text that the model's chat template writes");
    checkGrammar(chat.grammar, format.tools === undefined ? 'response_format' : 'tools');
    const grammar = this.#grammarOf(chat, format) ?? this.#missingGrammar(chat, format);
    return {
      text: chat.prompt,
      options: {
        ...format,
        messages,
        ...(template !== null && { chat_template: template }),
        ...(grammar !== null && { grammar }),
        ...(images.length > 0 && { media_paths: images }),
      },
      begun,
    };
  }

  /**
   * A chat whose answer continues the last message: as llama-server does it, the template writes the messages before it and the
   * start of an answer, and the text follows. What the template writes between the two, such as the channel of gpt-oss, stays
   * there. The model has begun to answer, so it no longer thinks.
   */
  #continued(
    messages: readonly unknown[],
    asked: ChatFormatOptions,
  ): { messages: readonly unknown[]; format: ChatFormatOptions; begun: string } {
    const last = messages.at(-1);
    const before = messages.length > 1 ? messages.slice(0, -1) : [{ role: 'user', content: '' }];
    const begun = String(field(last, 'content')).trimStart();
    const kwargs = { ...asked.chat_template_kwargs, enable_thinking: 'false' };
    const format = { ...asked, enable_thinking: false, chat_template_kwargs: kwargs };
    const render = (chat: readonly unknown[], answers: boolean): string =>
      this.#apply(chat, this.#templateFor(format), { ...format, add_generation_prompt: answers })
        .prompt;
    let between = '';
    try {
      const asking = render(before, false);
      const start = render(before, true).slice(asking.length);
      const turn = render([...before, last], false).slice(asking.length);
      const written = turn.slice(0, turn.lastIndexOf(begun.trim()));
      if (written.startsWith(start)) between = written.slice(start.length);
      else if (start.trimEnd().endsWith(THINK)) between = NO_THOUGHT;
    } catch (error) {
      // The template takes the messages in a stricter form only, and `#fit` finds it.
      if (!(error instanceof RequestError)) throw error;
    }
    return {
      messages: before,
      format: {
        ...format,
        chat_template_kwargs: { ...kwargs, [BEGUN]: JSON.stringify(between + begun) },
      },
      begun,
    };
  }

  /** A grammar that replaces llama.cpp's own; null: its own. A lazy one begins with a call, and stays as it is. */
  #grammarOf(chat: FormattedChat, { tool_choice: choice }: ChatFormatOptions): string | null {
    if (chat.grammar === '' || chat.grammar_lazy) return null;
    const { generation_prompt: end = '' } = chat;
    const grammar = answerGrammar(chat.grammar, end, { callsOnly: choice === 'required' });
    if (grammar === null && this.#model.special.ends.some((token) => end.includes(token))) {
      throw notSupported(
        `the chat template of ${this.#model.modelKey} does not allow tool_choice 'required' or a response format: llama.cpp would end its process`,
      );
    }
    return grammar;
  }

  /**
   * The grammar of a response format where llama.cpp makes none: its handlers of some templates, such as Kimi K2's, leave the
   * format out. The grammar does not depend on the template, so it is taken from another one. Null: nothing is missing.
   */
  #missingGrammar(
    { grammar }: FormattedChat,
    { tools, response_format: wanted, ...format }: ChatFormatOptions,
  ): string | null {
    if (grammar !== '' || wanted === undefined || tools !== undefined) return null;
    const options = { ...format, response_format: wanted };
    const other = this.#apply([{ role: 'user', content: '' }], CHATML, options);
    checkGrammar(other.grammar, 'response_format');
    return formatGrammar(other.grammar);
  }

  #withStart(text: string): string {
    const { start } = this.#model.special;
    return start === null || text.startsWith(start) ? text : start + text;
  }

  /**
   * Formats a chat so that nothing of it is lost. The model's own template comes first, because the model is trained for its
   * text. Where it refuses the messages, it gets them in a stricter form. What it never writes, a prelude writes; where the template
   * refuses that, too, it gets the messages alone. Where it drops the text or the calls of a message that has both, it gets two
   * messages. A level of reasoning that the template does not know is left out.
   *
   * @throws RequestError where the template refuses each form
   */
  #fit(
    messages: readonly unknown[],
    format: ChatFormatOptions,
    start: string | null,
  ): TemplatedChat {
    const gaps = this.#probe.gapsFor(messages, format);
    const preludes = gaps.tools || gaps.system ? [preludeOf(gaps), ''] : [''];
    let refusal: unknown = null;
    // The stricter form is made only where it is needed.
    const forms = [() => messages, () => stricterMessages(messages)];
    if (this.#probe.dropsTextOrCalls(messages))
      forms.unshift(() => messages.flatMap(withTextApart));
    else if (this.#probe.dropsTextOfReasonedCalls(messages))
      forms.unshift(() => messages.flatMap(withReasonedCallsApart));
    for (const prelude of preludes) {
      for (const formed of forms) {
        try {
          return this.#applyWithStart(formed(), format, prelude, start);
        } catch (error) {
          // The first reason is about the messages as the client sent them.
          refusal ??= error;
        }
      }
    }
    const { chat_template_kwargs: { reasoning_effort: effort, ...others } = {} } = format;
    if (effort === undefined) throw refusal;
    return this.#fit(messages, { ...format, chat_template_kwargs: others }, start);
  }

  /**
   * Formats a chat so that it begins with `start` once. llama.cpp takes one `start` off the result, so the template gets
   * one more than it needs.
   */
  #applyWithStart(
    messages: readonly unknown[],
    format: ChatFormatOptions,
    prelude: string,
    start: string | null,
  ): TemplatedChat {
    const isBegun = format.chat_template_kwargs?.[BEGUN] !== undefined;
    const source = prelude + this.#templateFor(format) + (isBegun ? WRITE_BEGUN : '');
    const apply = (template: string | null): TemplatedChat => ({
      chat: this.#apply(messages, template, format),
      messages,
      format,
      template,
    });
    if (start === null) return apply(prelude === '' && !isBegun ? null : source);
    const withOne = apply(`{{ bos_token }}${source}`);
    if (withOne.chat.prompt.startsWith(start)) return withOne;
    return apply(`{{ bos_token }}{{ bos_token }}${source}`);
  }

  /** The model's template. Where the model has two templates, a chat with tools gets the one for tools. */
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
      const [, schema] = /JSON schema conversion failed:\s*([^]*)/.exec(reason) ?? [];
      if (schema !== undefined) {
        const field = format.tools === undefined ? 'response_format' : 'tools';
        throw invalidField(field, `has a schema that llama.cpp does not take: ${schema}`);
      }
      throw new RequestError(400, `the model's chat template refuses the request: ${reason}`, {
        code: 'invalid_value',
      });
    }
  }
}

function chatFormatOf(format: Partial<ChatFormatOptions>): ChatFormatOptions {
  return { ...format, jinja: true, reasoning_format: 'auto' };
}

/** A message with a text and calls as two messages. Its reasoning stays with the text. */
function withTextApart(message: unknown): readonly unknown[] {
  if (!isRecord(message) || !hasTextAndCalls(message)) return [message];
  const { tool_calls: toolCalls, ...text } = message;
  return [text, { role: message['role'], content: '', tool_calls: toolCalls }];
}

/** A message with a text, reasoning and calls as two messages. Its reasoning stays with the calls. */
function withReasonedCallsApart(message: unknown): readonly unknown[] {
  if (!isRecord(message) || !hasTextAndCalls(message) || !hasReasoning(message)) return [message];
  const { tool_calls: _calls, reasoning_content: _reasoning, ...text } = message;
  return [text, { ...message, content: '' }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
