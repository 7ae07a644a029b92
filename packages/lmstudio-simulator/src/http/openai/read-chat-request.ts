import * as z from 'zod/mini';
import type { Tool } from '../../predicting/answer.js';
import type { GenerationRequest } from '../generation/generate.js';
import { RequestFailure } from '../generation/request-failure.js';
import {
  checkBody,
  imageContent,
  joinContent,
  modelFields,
  readLimit,
  readStop,
  stopSchema,
  textContent,
  toolsText,
} from '../generation/read-parts.js';
import type { ReadContent } from '../generation/read-parts.js';

const contentSchema = z.union([
  z.string(),
  z.array(
    z.object({
      type: z.string(),
      text: z.optional(z.string()),
      image_url: z.optional(z.object({ url: z.string() })),
    }),
  ),
]);
const chatSchema = z.object({
  ...modelFields,
  messages: z.array(
    z.object({
      role: z.string(),
      content: z.optional(z.nullable(contentSchema)),
      tool_calls: z.optional(z.nullable(z.array(z.unknown()))),
    }),
  ),
  max_tokens: z.optional(z.nullable(z.number())),
  max_completion_tokens: z.optional(z.nullable(z.number())),
  stop: stopSchema,
  tools: z.optional(
    z.nullable(
      z.array(
        z.object({
          type: z.string(),
          function: z.object({ name: z.string(), parameters: z.optional(z.unknown()) }),
        }),
      ),
    ),
  ),
  tool_choice: z.optional(
    z.nullable(z.union([z.enum(['none', 'auto', 'required']), z.looseObject({})])),
  ),
  response_format: z.optional(
    z.nullable(
      z.object({
        type: z.string(),
        json_schema: z.optional(z.object({ schema: z.unknown() })),
      }),
    ),
  ),
  reasoning_effort: z.optional(z.nullable(z.string())),
  stream_options: z.optional(
    z.nullable(z.object({ include_usage: z.optional(z.nullable(z.boolean())) })),
  ),
});

/** A chat request, and how its answer is sent. */
export interface ChatRequest {
  readonly generation: GenerationRequest;
  readonly streams: boolean;
  readonly includesUsage: boolean;
}

/** Reads the body of a chat request. Fields that are not simulated, such as `temperature`, have no effect. */
export function readChatRequest(body: unknown): ChatRequest {
  const chat = checkBody(chatSchema, body);
  const tools: readonly Tool[] = (chat.tools ?? []).map(({ function: { name, parameters } }) => ({
    name,
    parameters,
  }));
  const { text, imageCount } = joinContent(chat.messages.map(readMessage), '\n');
  const choice = chat.tool_choice ?? 'auto';
  // Captured (lmstudio-bug-tracker #670, can1357/oh-my-pi #6925): from 0.3.15 to 2026.
  if (typeof choice !== 'string') {
    throw new RequestFailure(
      400,
      "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
    );
  }
  return {
    generation: {
      model: chat.model ?? null,
      ttlSeconds: chat.ttl ?? null,
      prompt: text + toolsText(tools),
      imageCount,
      tools,
      toolChoice: choice,
      hasToolResult: chat.messages.at(-1)?.role === 'tool',
      schema: readFormat(chat.response_format),
      mayReason: chat.reasoning_effort !== 'none',
      maxTokens: readLimit(chat.max_completion_tokens, chat.max_tokens),
      stopStrings: readStop(chat.stop),
    },
    streams: chat.stream === true,
    includesUsage: chat.stream_options?.include_usage === true,
  };
}

function readMessage({
  role,
  content,
  tool_calls: calls,
}: z.infer<typeof chatSchema>['messages'][number]): ReadContent {
  const parts =
    typeof content === 'string'
      ? [textContent(content)]
      : (content ?? []).map((part) =>
          part.image_url ? imageContent(part.image_url.url) : textContent(part.text ?? ''),
        );
  const callText = calls && calls.length > 0 ? [textContent(JSON.stringify(calls))] : [];
  return joinContent([textContent(`${role}: `), ...parts, ...callText]);
}

// Captured: LM Studio refuses json_object with this text.
function readFormat(format: z.infer<typeof chatSchema>['response_format']): unknown {
  if (!format || format.type === 'text') return null;
  if (format.type !== 'json_schema') {
    throw new RequestFailure(400, "'response_format.type' must be 'json_schema' or 'text'");
  }
  return format.json_schema?.schema ?? {};
}
