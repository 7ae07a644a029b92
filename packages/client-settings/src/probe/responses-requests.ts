import type { GatewayAccess } from '../gateway-access.js';
import { keyOf } from '../gateway-access.js';
import { errorIn, field, listField } from './fields.js';
import { jsonHeaders, type ProbeRequest, QUESTION, TOOL_PARAMETERS } from './probe-request.js';
import { eventJson, type ServerEvent } from './server-events.js';

/**
 * Codex's requests: its list of models, and a streamed response with tools. Source: Codex 0.171.0 with the settings of
 * `codex.ts`. It asks only some providers for the list: https://github.com/openai/codex.
 */
export function responsesRequests(access: GatewayAccess): readonly ProbeRequest[] {
  const originator = 'codex_exec';
  const headers = jsonHeaders(keyOf(access), `${originator}/0.171.0 (Debian; x86_64)`, {
    originator,
    'session-id': SESSION,
    'x-codex-window-id': `${SESSION}:0`,
  });
  return [
    {
      title: 'list of models',
      method: 'GET',
      path: '/v1/models?client_version=0.171.0',
      headers,
      body: null,
      answer: { kind: 'json', check: checkModels },
    },
    {
      title: 'streamed response with tools',
      method: 'POST',
      path: '/v1/responses',
      headers: { ...headers, accept: 'text/event-stream' },
      body: {
        model: access.model,
        stream: true,
        input: [
          // Codex sends its instructions as messages of the developer.
          messageOf('developer', 'You are a coding agent.'),
          messageOf('developer', 'The sandbox is read-only.'),
          messageOf('user', '<environment_context><shell>bash</shell></environment_context>'),
          messageOf('user', QUESTION),
        ],
        tools: [
          {
            type: 'function',
            name: 'exec_command',
            description: 'Runs a command',
            strict: false,
            parameters: TOOL_PARAMETERS,
          },
          { type: 'web_search', external_web_access: false },
        ],
        tool_choice: 'auto',
        parallel_tool_calls: true,
        reasoning: { summary: 'auto' },
        store: false,
        include: ['reasoning.encrypted_content'],
        prompt_cache_key: SESSION,
        client_metadata: { session_id: SESSION },
      },
      answer: { kind: 'stream', check: checkResponseStream },
    },
  ];
}

const SESSION = '01a00000-0000-7000-8000-000000000001';

function messageOf(role: string, text: string): object {
  return { type: 'message', role, content: [{ type: 'input_text', text }] };
}

/** Codex uses its built-in facts about models where the list has no `models`, so that is not a failure. */
function checkModels(body: unknown): string {
  const listed = listField(body, 'data').length;
  const own = listField(body, 'models').length;
  if (listed + own === 0) throw new Error('the list of models is empty');
  return own > 0 ? `${own} models in Codex's form` : `${listed} models, none in Codex's own form`;
}

function checkResponseStream(events: readonly ServerEvent[]): string {
  const values = events.map(eventJson);
  const types = values.map((value) => field(value, 'type'));
  const failed = values.find((value) =>
    ['error', 'response.failed'].includes(String(field(value, 'type'))),
  );
  if (failed !== undefined) {
    const message =
      errorIn(failed) ?? errorIn(field(failed, 'response')) ?? field(failed, 'message');
    throw new Error(typeof message === 'string' ? message : 'the response failed');
  }
  if (types[0] !== 'response.created')
    throw new Error('the stream does not start with response.created');
  const last = types.at(-1);
  if (last !== 'response.completed' && last !== 'response.incomplete') {
    throw new Error('the stream ended without response.completed');
  }
  return `${values.length} events, ${last}`;
}
