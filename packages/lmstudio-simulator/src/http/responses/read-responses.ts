import * as z from 'zod/mini';
import type { Tool } from '../../predicting/answer.js';
import type { GenerationRequest } from '../generation/generate.js';
import { invalidRequest } from '../generation/request-failure.js';
import {
  checkBody,
  imageContent,
  joinContent,
  modelFields,
  readLimit,
  textContent,
  toolsText,
} from '../generation/read-parts.js';
import type { ReadContent } from '../generation/read-parts.js';
import { checkToolTypes } from './check-tools.js';
import type { StoredResponses } from '../../runtime/stored-responses.js';

const partSchema = z.object({
  type: z.string(),
  text: z.optional(z.string()),
  image_url: z.optional(z.string()),
});
const itemSchema = z.looseObject({
  type: z.optional(z.string()),
  role: z.optional(z.string()),
  content: z.optional(z.nullable(z.union([z.string(), z.array(partSchema)]))),
});
const responsesSchema = z.object({
  ...modelFields,
  input: z.union([z.string(), z.array(itemSchema)]),
  instructions: z.optional(z.nullable(z.string())),
  max_output_tokens: z.optional(z.nullable(z.number())),
  previous_response_id: z.optional(z.nullable(z.string())),
  store: z.optional(z.nullable(z.boolean())),
  tools: z.optional(
    z.nullable(
      z.array(
        z.looseObject({
          type: z.string(),
          name: z.optional(z.string()),
          parameters: z.optional(z.unknown()),
        }),
      ),
    ),
  ),
  tool_choice: z.optional(
    z.nullable(
      z.union([
        z.enum(['none', 'auto', 'required']),
        z.looseObject({ type: z.string(), name: z.optional(z.string()) }),
      ]),
    ),
  ),
  reasoning: z.optional(z.nullable(z.object({ effort: z.optional(z.nullable(z.string())) }))),
  text: z.optional(
    // Captured: `text` without `format` is refused (lmstudio-bug-tracker #1576, 0.4.5).
    z.object({ format: z.object({ type: z.string(), schema: z.optional(z.unknown()) }) }),
  ),
});

/** A Responses request. */
export interface ResponsesRequest {
  readonly generation: GenerationRequest;
  readonly streams: boolean;
  readonly stores: boolean;
  /** The fields that an answer repeats. */
  readonly echo: object;
}

/**
 * Reads the body of a Responses request.
 *
 * @param version - the version of LM Studio
 * @throws RequestFailure where a tool has a type that this version refuses, or `previous_response_id` is not known. Captured: the code (lmstudio-bug-tracker #1188).
 *   OpenAI documents the status and the text.
 */
export function readResponsesRequest(
  body: unknown,
  stored: StoredResponses,
  version: string,
): ResponsesRequest {
  const request = checkBody(responsesSchema, body);
  checkToolTypes(request.tools ?? [], version);
  const previousIdentifier = request.previous_response_id ?? null;
  const previous = previousIdentifier === null ? '' : stored.find(previousIdentifier);
  if (previous === null) {
    throw invalidRequest(
      `Previous response with id '${previousIdentifier}' not found.`,
      'previous_response_id',
      'previous_response_not_found',
    );
  }
  // Tools that LM Studio calls itself, such as those of MCP servers, are not simulated.
  const tools: readonly Tool[] = (request.tools ?? []).flatMap(({ type, name, parameters }) =>
    type === 'function' && name !== undefined ? [{ name, parameters }] : [],
  );
  const items = typeof request.input === 'string' ? [] : request.input;
  const { text, imageCount } = joinContent(
    [
      ...(previous === '' ? [] : [textContent(previous)]),
      ...(request.instructions ? [textContent(`system: ${request.instructions}`)] : []),
      ...(typeof request.input === 'string' ? [textContent(`user: ${request.input}`)] : []),
      ...items.map(readItem),
    ],
    '\n',
  );
  const choice = request.tool_choice ?? 'auto';
  const namedChoice =
    typeof choice === 'object' && choice.name !== undefined ? { name: choice.name } : 'auto';
  return {
    generation: {
      model: request.model ?? null,
      ttlSeconds: request.ttl ?? null,
      prompt: text + toolsText(tools),
      imageCount,
      tools,
      toolChoice: typeof choice === 'string' ? choice : namedChoice,
      hasToolResult: items.at(-1)?.type === 'function_call_output',
      schema:
        request.text?.format.type === 'json_schema' ? (request.text.format.schema ?? {}) : null,
      mayReason: request.reasoning?.effort !== 'none',
      maxTokens: readLimit(request.max_output_tokens),
      stopStrings: [],
    },
    streams: request.stream === true,
    stores: request.store !== false,
    echo: {
      instructions: request.instructions ?? null,
      previous_response_id: previousIdentifier,
      tool_choice: choice,
      tools: request.tools ?? [],
      text: request.text ?? { format: { type: 'text' } },
      reasoning: request.reasoning ?? { effort: null },
      max_output_tokens: request.max_output_tokens ?? null,
      store: request.store !== false,
    },
  };
}

function readItem(item: z.infer<typeof itemSchema>): ReadContent {
  const { type = 'message', role = 'user', content } = item;
  if (type !== 'message') return textContent(JSON.stringify(item));
  const parts =
    typeof content === 'string'
      ? [textContent(content)]
      : (content ?? []).map((part) =>
          part.image_url === undefined
            ? textContent(part.text ?? '')
            : imageContent(part.image_url),
        );
  return joinContent([textContent(`${role}: `), ...parts]);
}
