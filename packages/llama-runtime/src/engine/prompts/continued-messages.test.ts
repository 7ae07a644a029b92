import { TestEngines, bodyOf, eventsOf, type TestEngine } from '../../../test/engine-client.js';

// An answer that continues the last message must be the text that the model writes after the same prompt without a template.

const engines = new TestEngines();
beforeAll(() => engines.open());
afterAll(() => engines.close());

const CHATML = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;
/** Qwen 3: without thinking, an answer begins after an empty thought. */
const THINKING = CHATML.replace(
  'assistant\n{% endif %}',
  `assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}`,
).replace(
  '{{ m.content }}',
  `{% if m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}`,
);
/** DeepSeek R1: each answer begins with a thought. */
const ALWAYS_THINKING = CHATML.replace('assistant\n{% endif %}', 'assistant\n<think>\n{% endif %}');
/** gpt-oss: an answer begins with the name of its channel. */
const CHANNELS = `{% for m in messages %}<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}<|message|>{{ m.content }}{% if m.role == 'assistant' %}<|return|>{% else %}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}`;
/** Gemma 2: the roles alternate. */
const ALTERNATING = `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}${CHATML}`;

const USER = '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n';
const BEGUN = 'The "answer" is {';

describe.each([
  ['two roles', CHATML, `${USER}${BEGUN}`],
  ['thoughts that can be left out', THINKING, `${USER}<think>\n\n</think>\n\n${BEGUN}`],
  ['thoughts in each answer', ALWAYS_THINKING, `${USER}<think>\n\n</think>\n\n${BEGUN}`],
  [
    'channels',
    CHANNELS,
    `<|start|>user<|message|>hi<|end|><|start|>assistant<|channel|>final<|message|>${BEGUN}`,
  ],
  ['alternating roles', ALTERNATING, `${USER}${BEGUN}`],
  ['a first token', CHATML, `${USER}${BEGUN}`, true],
])('With a template of %s, an answer', (_, template, prompt, addsStart = false) => {
  let engine: TestEngine;
  let text: string;
  let promptTokens: number;
  const sampling = { model: 'tiny', max_tokens: 12, temperature: 0 };
  beforeAll(async () => {
    const metadata = {
      'tokenizer.chat_template': template,
      'tokenizer.ggml.add_bos_token': addsStart,
    };
    engine = await engines.start(
      await engines.writeModel('continued', { layers: 1, width: 256, metadata }),
    );
    const plain = await bodyOf(await engine.post('/v1/completions', { ...sampling, prompt }));
    text = plain.choices[0].text;
    promptTokens = plain.usage.prompt_tokens;
  });

  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: BEGUN },
  ];

  test("continues the last message of Anthropic's protocol, also in a stream and with thinking", async () => {
    for (const more of [{}, { thinking: { type: 'enabled', budget_tokens: 1024 } }]) {
      const body = { ...sampling, messages, ...more };
      const message = await bodyOf(await engine.post('/v1/messages', body));
      expect(message).toMatchObject({ content: [{ type: 'text', text }] });
      expect(message.usage.input_tokens + message.usage.cache_read_input_tokens).toBe(promptTokens);
      const events = await eventsOf(await engine.post('/v1/messages', { ...body, stream: true }));
      expect(events.map(({ delta }) => delta?.text ?? '').join('')).toBe(text);
    }
  });

  test('continues the last message of a chat that asks for it, and else begins a message', async () => {
    const ask = async (more: object) =>
      bodyOf(await engine.post('/v1/chat/completions', { ...sampling, messages, ...more }));
    const continued = await ask({ continue_final_message: true });
    expect(continued.usage.prompt_tokens).toBe(promptTokens);
    expect(continued.choices[0].message.content).toBe(text);
    expect((await ask({})).choices[0].message.content).not.toBe(text);
  });
});

test('an answer that would continue another message than a text of the assistant is refused', async () => {
  const engine = await engines.start(await engines.writeModel('tiny'));
  const begun = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: BEGUN },
  ];
  const format = { type: 'json_object' };
  for (const [messages, more, param] of [
    [begun.slice(0, 1), {}, 'messages'],
    [begun, { response_format: format }, 'response_format'],
  ] as const) {
    const body = { model: 'tiny', messages, continue_final_message: true, ...more };
    const response = await engine.post('/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect((await bodyOf(response)).error).toMatchObject({ param });
  }
});
