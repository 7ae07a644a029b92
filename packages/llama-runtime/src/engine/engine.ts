import type { EngineFacts, EngineSpec, EngineState } from '../process/messages.js';
import {
  AnswerReader,
  BegunText,
  finalSnapshot,
  firstStop,
  hasParts,
  snapshotOf,
  type AnswerDelta,
  type AnswerEnd,
  type Snapshot,
  withoutOpenEnd,
} from './answer.js';
import { CachedQueue } from './queue/cached-queue.js';
import type { ChatTemplates } from './prompts/chat-templates.js';
import { embeddingInputTokens } from './context-options.js';
import {
  hasEndReason,
  type CompletionOptions,
  type CompletionReport,
  type LlamaContext,
  type Sampling,
} from './llama-door.js';
import { OpenRequests } from './queue/open-requests.js';
import { type Prompt, Prompts } from './prompts/prompts.js';
import { RequestError, notSupported } from './request-error.js';
import type { SpecialTokens } from './prompts/special-tokens.js';

/**
 * Samplers that llama.cpp leaves off. The binding's own defaults differ: a tenth of all tokens would lose every likely
 * candidate (XTC with threshold 0), even at temperature 0.
 */
const NEUTRAL_SAMPLERS = { dry_multiplier: 0, xtc_probability: 0, xtc_threshold: 0.1 };

/** A request for an answer. */
export interface GenerationRequest {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  /** `null`: until the model ends or the context is full. */
  readonly maxTokens: number | null;
  readonly stops: readonly string[];
}

/** A request whose prompt was formatted and counted. */
export interface PreparedRequest extends GenerationRequest {
  readonly promptTokens: number;
  /** The tokens of the prompt; null where it has images. */
  readonly promptIds: Int32Array | null;
  readonly options: CompletionOptions;
  /** The text of the message that the answer continues; null: the answer begins a message. */
  readonly begun: string | null;
}

/** What the engine has read from the model's file and from llama.cpp's log. */
export interface EngineDetails {
  readonly templates: ChatTemplates;
  readonly special: SpecialTokens;
  /** Whether the KV cache can be kept between requests: one slot, whose memory has attention layers only. */
  readonly keepsCache: boolean;
}

/** The loaded model. */
export class Engine {
  readonly spec: EngineSpec;
  readonly facts: EngineFacts;
  readonly #context: LlamaContext;
  readonly #open: OpenRequests;
  readonly #cache: CachedQueue | null;
  readonly #prompts: Prompts;
  readonly #special: SpecialTokens;

  constructor(
    context: LlamaContext,
    spec: EngineSpec,
    facts: EngineFacts,
    { templates, special, keepsCache }: EngineDetails,
    onState: (state: EngineState) => void,
  ) {
    this.#context = context;
    this.spec = spec;
    this.facts = facts;
    this.#special = special;
    this.#cache = keepsCache ? new CachedQueue(context) : null;
    this.#open = new OpenRequests(this.#cache ?? context, onState);
    this.#prompts = new Prompts(context, {
      modelKey: spec.modelKey,
      vision: facts.vision,
      templates,
      special,
    });
  }

  get state(): EngineState {
    return this.#open.state;
  }

  /** Maximum number of tokens of an input. */
  get inputTokens(): number {
    return this.spec.kind === 'embedding'
      ? Math.min(this.facts.contextLengthTokens, embeddingInputTokens(this.spec))
      : this.facts.contextLengthTokens;
  }

  /**
   * Formats the prompt with the model's chat template and counts its tokens.
   *
   * @throws RequestError where the template or a schema is refused
   */
  async prepare(request: GenerationRequest): Promise<PreparedRequest> {
    if (this.spec.kind === 'embedding') {
      throw notSupported(
        `${this.spec.modelKey} is an embedding model and cannot generate text; choose a language model`,
      );
    }
    const { text, options, begun } = this.#prompts.format(request.prompt);
    const images = options.media_paths ?? [];
    const tokens = await this.#tokenize(text, images);
    const promptIds = images.length > 0 ? null : Int32Array.from(tokens);
    if (promptIds !== null) await this.#cache?.prepareFor(promptIds);
    return {
      ...request,
      promptTokens: tokens.length,
      promptIds,
      begun,
      options: {
        ...options,
        ...request.sampling,
        n_predict: request.maxTokens ?? -1,
        stop: request.stops,
        ...NEUTRAL_SAMPLERS,
      },
    };
  }

  /**
   * Answers a request. Deltas that the reader does not take yet are merged, so a slow reader costs no memory beyond
   * the answer itself.
   *
   * @param signal - cancels the request and frees its slot
   * @throws RequestError with `context_length_exceeded` where the prompt leaves no room for an answer
   */
  async *generate(
    request: PreparedRequest,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerDelta, AnswerEnd> {
    this.#checkRoom(request.promptTokens);
    const { prompt } = request;
    const isChat = 'messages' in prompt;
    const mostCalls = isChat && prompt.format.parallel_tool_calls === false ? 1 : Infinity;
    const reader = new AnswerReader(request.stops, mostCalls);
    const begun = new BegunText(request.begun);
    let text = '';
    let newest: Snapshot | null = null;
    let isStopped = false;
    using run = this.#open.complete(request, signal, (report) => {
      text += report.token;
      if (!isChat) return;
      const soFar = begun.takenOff(snapshotOf(report, null), text);
      // Where llama.cpp does not parse an answer, its reports have no fields.
      if (hasParts(soFar)) newest = soFar;
    });
    for (;;) {
      const report = await run.next();
      const isFinal = report.token === undefined;
      const isLimited = isFinal && (report.stopped_limit || report.context_full);
      const generated = isFinal ? report.text : text;
      const snapshot = begun.takenOff(snapshotOf(report, isChat ? null : generated), generated);
      const whole = isFinal ? finalSnapshot(snapshot, report, newest) : snapshot;
      // The bytes of a last character that the limit has cut off are left out.
      yield* reader.read(isLimited ? withoutOpenEnd(whole) : whole, isFinal);
      if (isFinal) checkEnd(report);
      else if (!reader.isDone) continue;
      else if (reader.stop !== null && !isStopped) {
        // The binding ends at the stop sequence, too. Its last report has the counts and the times.
        isStopped = true;
        continue;
      }
      return endOf(isFinal ? report : null, reader, request, () => run.countTokens());
    }
  }

  /**
   * The embedding of a text, with a length of 1, and the tokens of the text.
   *
   * @throws RequestError where the text is too long, or the model was loaded to generate text
   */
  async embed(
    text: string,
    signal: AbortSignal,
  ): Promise<{ readonly embedding: readonly number[]; readonly tokens: number }> {
    if (this.spec.kind !== 'embedding') {
      throw notSupported(
        `${this.spec.modelKey} was loaded to generate text and gives no embeddings; choose an embedding model`,
      );
    }
    const { length } = (await this.#context.tokenize(text)).tokens;
    const tokens = length + this.#special.aroundEmbedding;
    this.#checkRoom(tokens);
    const embedding = await this.#open.embed({ text, promptTokens: tokens }, signal);
    return { embedding, tokens };
  }

  /** Cancels every open request, and refuses further ones. */
  stop(): void {
    this.#open.stop();
  }

  async #tokenize(text: string, images: readonly string[]): Promise<ArrayLike<number>> {
    if (images.length === 0) return (await this.#context.tokenize(text)).tokens;
    try {
      return (await this.#context.tokenize(text, images)).tokens;
    } catch {
      // The binding has one error for every image that it cannot read.
      throw new RequestError(
        400,
        'llama.cpp cannot read an image of the request. Send a complete PNG, JPEG, BMP or GIF file.',
        { code: 'image_parse_error', param: 'messages' },
      );
    }
  }

  #checkRoom(tokens: number): void {
    const isEmbedding = this.spec.kind === 'embedding';
    const most = isEmbedding ? this.inputTokens : this.inputTokens - 1;
    if (tokens <= most) return;
    throw new RequestError(
      400,
      `This model's maximum context length is ${this.inputTokens} tokens, and the input has ${tokens} tokens. Shorten the input, or load the model with a longer context.`,
      { code: 'context_length_exceeded', param: isEmbedding ? 'input' : 'messages' },
    );
  }
}

/** The end of an answer. @param final - the last report of the completion; null where the answer ended before it */
function endOf(
  final: CompletionReport | null,
  reader: AnswerReader,
  { promptTokens, stops }: PreparedRequest,
  countTokens: () => number,
): AnswerEnd {
  const isCut = final !== null && (final.stopped_limit || final.context_full) && !reader.isDone;
  // A stop sequence may lie across the end of reasoning, where no part of the answer has it as a whole.
  const stopInText = final?.stopped_word === true ? firstStop(final.text, stops) : null;
  return {
    finishReason: isCut ? 'length' : reader.toolCalls > 0 ? 'tool-calls' : 'stop',
    stopSequence: reader.stop ?? stopInText?.stop ?? null,
    usage: {
      promptTokens,
      completionTokens: final?.tokens_predicted ?? countTokens(),
      cachedTokens: final === null ? 0 : Math.min(final.timings.cache_n, promptTokens),
    },
    timings:
      final === null
        ? null
        : {
            promptTokens: final.timings.prompt_n,
            promptMs: final.timings.prompt_ms,
            predictedTokens: final.tokens_predicted,
            predictedMs: final.timings.predicted_ms,
          },
  };
}

/** @throws RequestError where the completion ended without a reason, which means that a batch failed */
function checkEnd(report: CompletionReport): void {
  if (hasEndReason(report)) return;
  throw new RequestError(
    500,
    'llama.cpp could not compute the next token; send the request again',
    {
      code: 'engine_failed',
    },
  );
}
