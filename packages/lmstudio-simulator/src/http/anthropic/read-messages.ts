import * as z from 'zod/mini';
import type { AnswerRequest, Tool } from '../../predicting/answer.js';
import { isAtLeast } from '../../profile/http-api.js';
import type { GenerationRequest } from '../generation/generate.js';
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
import { invalidRequest } from '../generation/request-failure.js';

const blockSchema = z.looseObject({
  type: z.string(),
  text: z.optional(z.string()),
  source: z.optional(z.looseObject({ type: z.string(), url: z.optional(z.string()) })),
  content: z.optional(z.unknown()),
});
const blocksSchema = z.union([z.string(), z.array(blockSchema)]);
const messagesSchema = z.object({
  ...modelFields,
  system: z.optional(z.nullable(blocksSchema)),
  messages: z.array(z.object({ role: z.string(), content: blocksSchema })),
  max_tokens: z.optional(z.nullable(z.number())),
  stop_sequences: z.optional(z.nullable(z.array(z.string()))),
  tools: z.optional(
    z.nullable(z.array(z.object({ name: z.string(), input_schema: z.optional(z.unknown()) }))),
  ),
  tool_choice: z.optional(
    z.nullable(
      z.object({
        type: z.enum(['auto', 'any', 'tool', 'none']),
        name: z.optional(z.string()),
      }),
    ),
  ),
  thinking: z.optional(z.nullable(z.object({ type: z.string() }))),
});

/** A Messages request, and whether its answer is streamed. */
export interface MessagesRequest {
  readonly generation: GenerationRequest;
  readonly streams: boolean;
}

/**
 * Reads the body of a Messages request. Anthropic requires `max_tokens`. Assumed: LM Studio accepts a request
 * without it.
 *
 * @param version - the version of LM Studio
 * @throws RequestFailure for a role that this version refuses
 */
export function readMessagesRequest(body: unknown, version: string): MessagesRequest {
  const request = checkBody(messagesSchema, body);
  checkRoles(request.messages, version);
  const tools: readonly Tool[] = (request.tools ?? []).map((tool) => ({
    name: tool.name,
    parameters: tool.input_schema,
  }));
  const { text, imageCount } = joinContent(
    [
      ...(request.system ? [readBlocks('system', request.system)] : []),
      ...request.messages.map(({ role, content }) => readBlocks(role, content)),
    ],
    '\n',
  );
  const lastTurn = request.messages.slice(
    request.messages.findLastIndex(({ role }) => role === 'assistant') + 1,
  );
  return {
    generation: {
      model: request.model ?? null,
      ttlSeconds: request.ttl ?? null,
      prompt: text + toolsText(tools),
      imageCount,
      tools,
      toolChoice: readChoice(request.tool_choice),
      hasToolResult: lastTurn.some(
        ({ content }) =>
          typeof content === 'object' && content.some(({ type }) => type === 'tool_result'),
      ),
      schema: null,
      mayReason: request.thinking?.type !== 'disabled',
      maxTokens: readLimit(request.max_tokens),
      stopStrings: request.stop_sequences ?? [],
    },
    streams: request.stream === true,
  };
}

/**
 * Captured (lmstudio-bug-tracker #1399, #2204): LM Studio refuses system messages between the turns, which Claude Code sends
 * since 2.1.154. #2204 quotes the release notes: since 0.4.15 it takes them. Assumed: the text for other roles.
 */
function checkRoles(messages: readonly { readonly role: string }[], version: string): void {
  const known = ['user', 'assistant', ...(isAtLeast(version, '0.4.15') ? ['system'] : [])];
  const index = messages.findIndex(({ role }) => !known.includes(role));
  if (index === -1) return;
  const expected = known.map((role) => `'${role}'`).join(' | ');
  const param = `request.messages.${index}.role`;
  throw invalidRequest(`${param}: Invalid discriminator value. Expected ${expected}`, param);
}

function readBlocks(role: string, content: z.infer<typeof blocksSchema>): ReadContent {
  const blocks = typeof content === 'string' ? [textContent(content)] : content.map(readBlock);
  return joinContent([textContent(`${role}: `), ...blocks]);
}

/**
 * Other blocks are read as JSON. Captured (lmstudio-ai/localization #425 and lmstudio-bug-tracker #1590, 0.4.6 to 0.4.21): an image
 * in the result of a tool is refused with this text, which Claude Code gets for each image that it reads from a file.
 */
function readBlock(block: z.infer<typeof blockSchema>): ReadContent {
  if (block.type === 'text') return textContent(block.text ?? '');
  if (block.type === 'image') {
    return imageContent(block.source?.type === 'base64' ? 'data:' : (block.source?.url ?? ''));
  }
  if (block.type === 'tool_result') {
    const inner = blocksSchema.safeParse(block.content);
    if (inner.success && typeof inner.data !== 'string') {
      if (inner.data.some(({ type }) => type !== 'text')) {
        const message =
          'Only text tool_result blocks are supported when tool_result.content is an array.';
        throw invalidRequest(message, 'messages');
      }
      return joinContent(inner.data.map(readBlock));
    }
    return textContent(inner.success && typeof inner.data === 'string' ? inner.data : '');
  }
  return textContent(JSON.stringify(block));
}

function readChoice(
  choice: z.infer<typeof messagesSchema>['tool_choice'],
): AnswerRequest['toolChoice'] {
  switch (choice?.type) {
    case 'none':
      return 'none';
    case 'any':
      return 'required';
    case 'tool':
      return choice.name === undefined ? 'required' : { name: choice.name };
    case 'auto':
    case undefined:
      return 'auto';
  }
}
