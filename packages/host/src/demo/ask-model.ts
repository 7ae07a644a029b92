import { postJson, textOfResponse } from '../chat/post-json.js';
import { isRecord } from '../guards.js';
import type { Host } from '../host.js';

/** The speed of one answer, and its beginning. */
export interface DemoAnswer {
  readonly modelKey: string;
  readonly tokens: number;
  /** The speed of the tokens after the first one. The first one is part of the prompt's time. Null for one token. */
  readonly tokensPerSecond: number | null;
  readonly text: string;
}

const TOKENS = 32;
/** Maximum length of the answer in characters. 32 tokens are far shorter. */
const ANSWER_MAX = 1_000_000;

/** Asks a loaded model for a short answer over HTTP, as any OpenAI client does. The host learns from its speed. */
export async function askModel(
  host: Host,
  modelKey: string,
  signal: AbortSignal,
): Promise<DemoAnswer> {
  await using lease = await host.acquire({ modelKey }, { signal });
  const response = await postJson({
    url: `${lease.baseUrl}/chat/completions`,
    headers: lease.requestHeaders,
    body: {
      model: lease.instanceIdentifier,
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: TOKENS,
      // A random choice of a model with random weights soon ends the answer.
      temperature: 0,
    },
    signal,
  });
  const answer: unknown = JSON.parse(await textOfResponse(response, ANSWER_MAX));
  if (!isAnswer(answer)) {
    throw new Error(
      `${modelKey} answered with status ${response.statusCode ?? 0}: ${JSON.stringify(answer)}`,
    );
  }
  const {
    predicted_n: tokens,
    predicted_ms: tookMs,
    prompt_n: read,
    prompt_ms: readMs,
  } = answer.timings;
  // llama.cpp counts the first token, but not its time.
  const timed = tokens > 1 && tookMs > 0 ? { tokens: tokens - 1, ms: tookMs } : null;
  await host.serving.measured({
    modelKey: lease.modelKey,
    instanceIdentifier: lease.instanceIdentifier,
    prompt: { tokens: read, ms: readMs },
    output: timed,
    depthTokens: read,
  });
  return {
    modelKey,
    tokens,
    tokensPerSecond: timed === null ? null : (1000 * timed.tokens) / timed.ms,
    text: answer.choices[0].message.content,
  };
}

interface ChatAnswer {
  readonly choices: readonly [{ readonly message: { readonly content: string } }];
  /** llama.cpp's own times. */
  readonly timings: Readonly<Record<(typeof TIMINGS)[number], number>>;
}

const TIMINGS = ['prompt_n', 'prompt_ms', 'predicted_n', 'predicted_ms'] as const;

function isAnswer(value: unknown): value is ChatAnswer {
  if (!isRecord(value) || !Array.isArray(value['choices'])) return false;
  const { timings } = value;
  const choices: readonly unknown[] = value['choices'];
  const [choice] = choices;
  return (
    isRecord(timings) &&
    TIMINGS.every((name) => typeof timings[name] === 'number') &&
    isRecord(choice) &&
    isRecord(choice['message']) &&
    typeof choice['message']['content'] === 'string'
  );
}
