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

// The texts of the reports, each from another version of LM Studio.
test.each([
  // lmstudio-bug-tracker #1755
  [
    'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10159 >= n_ctx: 8192). Try to load the model with a larger context length, or provide a shorter input.',
    10_159,
    8192,
  ],
  // Gitlawb/openclaude #353
  [
    'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter input.',
    13_055,
    4096,
  ],
  // anomalyco/opencode #11141 and continuedev/continue #11104
  ['Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)', 15_028, 7424],
  // lmstudio-bug-tracker #546 and cline/cline #3664
  [
    'Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with context length of only 32768 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input. Error Data: n/a, Additional Data: n/a',
    111_490,
    32_768,
  ],
  // aaif-goose/goose #11318 and lmstudio-bug-tracker #2322
  [
    'Input does not fit in context length. The input has 31430 tokens, but the context length only supports 30000 tokens.',
    31_430,
    30_000,
  ],
  // lmstudio-bug-tracker #2205 and #2201
  [
    'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length, or provide a shorter input.',
    null,
    null,
  ],
  ['Context size has been exceeded.', null, null],
])('%s: the prompt has %p tokens, and the context %p', (message, promptTokens, contextTokens) => {
  const failure = runtimeFailureIn({
    status: 400,
    contentType: 'application/json',
    text: JSON.stringify({ error: message }),
    ended: true,
  });
  expect(failure).toEqual({
    message,
    retriable: false,
    exceeded: { promptTokens, contextTokens },
  });
});

// lmstudio-bug-tracker #2220: LM Studio 0.4.20 wraps the answer of its engine in a 500 of its own.
test('a request that the engine refuses is not sent again, whatever the status that LM Studio gives', () => {
  const message =
    'Engine protocol predict request returned 400: {"error":{"code":400,"message":"Failed to initialize samplers: failed to parse grammar","type":"invalid_request_error"}}';
  expect(answered(500, { type: 'api_error', message })).toEqual({ message, retriable: false });
});

test('a code that says something else than an exceeded context counts, whatever the text', () => {
  const message = 'the image is larger than the context size';
  expect(answered(400, { code: 'image_parse_error', message })).toEqual({
    message,
    retriable: false,
  });
});
