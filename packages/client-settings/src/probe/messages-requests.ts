import type { GatewayAccess } from '../gateway-access.js';
import { keyOf } from '../gateway-access.js';
import { errorIn, field, listField } from './fields.js';
import { jsonHeaders, type ProbeRequest, QUESTION, TOOL_PARAMETERS } from './probe-request.js';
import { eventJson, type ServerEvent } from './server-events.js';

const TOOL = { name: 'Read', description: 'Reads a file', input_schema: TOOL_PARAMETERS };

/**
 * Claude Code's requests: a streamed message with tools, a short background message that is not streamed, and a count of
 * tokens. Sources: Claude Code 2.1.332 (the fields and headers, and the system message behind the question), and
 * https://code.claude.com/docs/en/llm-gateway-protocol (the other two; counting is optional there).
 */
export function messagesRequests(access: GatewayAccess): readonly ProbeRequest[] {
  const { model } = access;
  const headers = jsonHeaders(keyOf(access), 'claude-cli/2.1.332 (external, cli)', {
    accept: 'application/json',
    'anthropic-version': '2023-06-01',
    'anthropic-beta':
      'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24',
    'anthropic-dangerous-direct-browser-access': 'true',
    'x-app': 'cli',
    'x-stainless-timeout': '600',
  });
  const messages = [{ role: 'user', content: [{ type: 'text', text: QUESTION }] }];
  const system = [
    { type: 'text', text: 'You are a coding agent.', cache_control: { type: 'ephemeral' } },
  ];
  const skills = 'The following skills are available: none.';
  const path = '/v1/messages?beta=true';
  return [
    {
      title: 'streamed message with tools',
      method: 'POST',
      path,
      headers,
      body: {
        model,
        messages: [...messages, { role: 'system', content: [{ type: 'text', text: skills }] }],
        system,
        tools: [TOOL],
        metadata: { user_id: 'probe' },
        max_tokens: 64,
        thinking: { type: 'adaptive', display: 'omitted' },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        output_config: { effort: 'high' },
        stream: true,
      },
      answer: { kind: 'stream', check: checkMessageStream },
    },
    {
      title: 'background message',
      method: 'POST',
      path,
      headers,
      body: { model, max_tokens: 32, messages },
      answer: { kind: 'json', check: checkMessage },
    },
    {
      title: 'count of tokens',
      method: 'POST',
      path: '/v1/messages/count_tokens?beta=true',
      headers,
      body: { model, system, messages, tools: [TOOL] },
      answer: { kind: 'json', check: checkCount },
    },
  ];
}

function checkMessageStream(events: readonly ServerEvent[]): string {
  const values = events.map(eventJson);
  const failure = values.map(errorIn).find((message) => message !== null);
  if (failure !== undefined) throw new Error(failure);
  const types = values.map((value) => field(value, 'type')).filter((type) => type !== 'ping');
  if (types[0] !== 'message_start') throw new Error('the stream does not start with message_start');
  if (types.at(-1) !== 'message_stop') throw new Error('the stream ended without message_stop');
  const reason = values.map((value) => field(value, 'delta', 'stop_reason')).find(Boolean);
  if (typeof reason !== 'string') throw new Error('no event has a stop reason');
  return `${values.length} events, stop reason ${reason}`;
}

function checkMessage(body: unknown): string {
  if (field(body, 'type') !== 'message') throw new Error('the answer is not a message');
  if (listField(body, 'content').length === 0) throw new Error('the message is empty');
  return `stop reason ${String(field(body, 'stop_reason'))}`;
}

function checkCount(body: unknown): string {
  const count = field(body, 'input_tokens');
  if (typeof count !== 'number') throw new Error('the answer has no `input_tokens`');
  return `${count} tokens`;
}
