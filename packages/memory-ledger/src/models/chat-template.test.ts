import { templateHasTools, templateThinks } from './chat-template.js';

// The parts of published templates that are about thinking, reduced to what decides. Sources: llama.cpp, models/templates, and for
// Granite, Magistral and Llama 3 their publishers' repositories on Hugging Face.
test.each([
  [
    'Qwen3',
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>' }}",
    true,
  ],
  [
    'GLM-4.6',
    "{{ '/nothink' if (enable_thinking is defined and not enable_thinking) else '' }}",
    true,
  ],
  ['DeepSeek V3.1', '{% if not thinking is defined %}{% set thinking = false %}{% endif %}', true],
  ['DeepSeek R1', "{{'<|Assistant|><think>\\n'}}", true],
  ['Granite 3.3', '{%- if thinking %}', true],
  ['Magistral', '{{ bos_token }}[SYSTEM_PROMPT]Use [THINK] and [/THINK].', true],
  ['Seed-OSS', "{%- set think_begin_token = '<seed:think>' %}", true],
  ['gpt-oss', '{{- "<|start|>assistant<|channel|>analysis<|message|>" }}', true],
  ['Gemma 4', "{{- '<|channel>thought\\n' -}}", true],
  // Used by models with and without thinking.
  [
    'LFM2.5',
    '{%- set keep_past_thinking = keep_past_thinking | default(false) -%}{%- if "</think>" in content -%}',
    false,
  ],
  ['Kimi K2', "{{ '<|im_assistant|>assistant<|im_middle|>' }}", false],
  ['Llama 3', "{{ '<|start_header_id|>assistant<|end_header_id|>' }}", false],
])('the template of %s: %s, thinks: %s', (_model, template, thinks) => {
  expect(templateThinks(template)).toBe(thinks);
});

test('a template that names tools supports them', () => {
  expect(templateHasTools('{%- if tools %}')).toBe(true);
  expect(templateHasTools('{{ message.toolset }}')).toBe(false);
});
