/** What a chat template leaves out. Text in front of the template adds it. */
export interface TemplateGaps {
  /** It writes no tools, no tool calls, or no results of tools. */
  readonly tools: boolean;
  /** It refuses or drops a system message. */
  readonly system: boolean;
}

const describedTools = (role: 'system' | 'user') => String.raw`{%- if tools -%}
{%- set fit.text = 'You may call functions. Their signatures stand within <tools></tools>:\n<tools>' -%}
{%- for tool in tools -%}{%- set fit.text = fit.text + '\n' + (tool | tojson) -%}{%- endfor -%}
{%- set fit.text = fit.text + '\n</tools>\n\nFor each call, write a JSON object with the name and the arguments within <tool_call></tool_call>:\n<tool_call>\n{"name": <name>, "arguments": <arguments>}\n</tool_call>' -%}
{%- set fit.list = [{'role': '${role}', 'content': fit.text}] -%}
{%- endif -%}
`;
const WRITTEN_CALLS = String.raw`{%- for call in message.tool_calls or [] -%}
{%- set fit.text = fit.text + ('\n' if fit.text else '') + '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments if call.function.arguments is string else call.function.arguments | tojson) + '}\n</tool_call>' -%}
{%- endfor -%}
{%- if role == 'tool' -%}
{%- set role = 'user' -%}
{%- set fit.text = '<tool_response>\n' + fit.text + '\n</tool_response>' -%}
{%- endif -%}
`;
const SYSTEM_AS_USER = `{%- if role == 'system' -%}{%- set role = 'user' -%}{%- endif -%}
`;

/**
 * Text in front of a chat template that has gaps. It rewrites the messages into texts of the roles that the template takes,
 * one message of a role at a time. Tools are described in the system message, and a call is a JSON object within
 * `<tool_call>`, the form that Hermes and Qwen models are trained for. llama.cpp finds out the form of calls by running a
 * template, so it makes its grammar and its parser from this text.
 */
export function preludeOf(gaps: TemplateGaps): string {
  return `{%- set fit = namespace(list=[], text='') -%}
${gaps.tools ? describedTools(gaps.system ? 'user' : 'system') : ''}{%- for message in messages -%}
{%- set role = message.role -%}
{%- set fit.text = '' -%}
{%- if message.content is string -%}{%- set fit.text = message.content -%}
{%- else -%}{%- for part in message.content or [] -%}{%- set fit.text = fit.text + (part.text or '') -%}{%- endfor -%}{%- endif -%}
${gaps.tools ? WRITTEN_CALLS : ''}${gaps.system ? SYSTEM_AS_USER : ''}{%- if fit.list and fit.list[-1].role == role -%}
{%- set fit.list = fit.list[:-1] + [{'role': role, 'content': fit.list[-1].content + '\\n\\n' + fit.text}] -%}
{%- else -%}
{%- set fit.list = fit.list + [{'role': role, 'content': fit.text}] -%}
{%- endif -%}
{%- endfor -%}
{%- set messages = fit.list -%}${gaps.tools ? '{%- set tools = none -%}' : ''}`;
}
