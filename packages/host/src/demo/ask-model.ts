import { postJson, textOfResponse } from '../chat/post-json.js';
import { isRecord } from '../guards.js';
import type { Host } from '../host.js';

/** The speed of one answer, and its beginning. */
export interface DemoAnswer {
  readonly modelKey: string;
  readonly tokens: number;
  /** Of the generated tokens alone: the time of the prompt is not part of it. */
  readonly tokensPerSecond: number;
  readonly text: string;
}

const TOKENS = 32;
/** Maximum length of the answer in characters. 32 tokens are far shorter. */
const ANSWER_MAX = 1_000_000;

/** Asks a loaded model for a short answer over HTTP, as any OpenAI client does. */
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
    },
    signal,
  });
  const answer: unknown = JSON.parse(await textOfResponse(response, ANSWER_MAX));
  if (!isAnswer(answer)) {
    throw new Error(
      `${modelKey} answered with status ${response.statusCode ?? 0}: ${JSON.stringify(answer)}`,
    );
  }
  const { predicted_n: tokens, predicted_ms: tookMs } = answer.timings;
  return {
    ...{ modelKey, tokens, tokensPerSecond: (1000 * tokens) / tookMs },
    text: answer.choices[0].message.content,
  };
}

interface ChatAnswer {
  readonly choices: readonly [{ readonly message: { readonly content: string } }];
  /** llama.cpp's own times. */
  readonly timings: { readonly predicted_n: number; readonly predicted_ms: number };
}

function isAnswer(value: unknown): value is ChatAnswer {
  if (!isRecord(value) || !isRecord(value['timings']) || !Array.isArray(value['choices']))
    return false;
  const choices: readonly unknown[] = value['choices'];
  const [choice] = choices;
  return (
    typeof value['timings']['predicted_n'] === 'number' &&
    typeof value['timings']['predicted_ms'] === 'number' &&
    isRecord(choice) &&
    isRecord(choice['message']) &&
    typeof choice['message']['content'] === 'string'
  );
}
