import { runtimeFailureIn } from './runtime-failure.js';

const answered = (status: number, error: object) =>
  runtimeFailureIn({
    status,
    contentType: 'application/json',
    text: JSON.stringify({ error }),
    ended: true,
  });

test.each(['context_length_exceeded', 'image_parse_error', 'invalid_value'])(
  'a request that any resident would refuse with %s is not tried again, whatever the text',
  (code) => {
    expect(answered(400, { code, message: 'failed to load the image' })).toMatchObject({
      retriable: false,
    });
  },
);

test('the same text without such a code is tried again, because LM Studio has it after a crash', () => {
  expect(answered(400, { code: null, message: 'Failed to load model' })).toMatchObject({
    retriable: true,
  });
});

test("a prompt that the embedded engine's context cannot hold is reported with its sizes", () => {
  const message =
    "This model's maximum context length is 4096 tokens, and the input has 5000 tokens. Shorten the input.";
  expect(answered(400, { code: 'context_length_exceeded', message })).toEqual({
    message,
    retriable: false,
    exceeded: { promptTokens: 5000, contextTokens: 4096 },
  });
});

test('a code that says something else than an exceeded context counts, whatever the text', () => {
  const message = 'the image is larger than the context size';
  expect(answered(400, { code: 'image_parse_error', message })).toEqual({
    message,
    retriable: false,
  });
});
