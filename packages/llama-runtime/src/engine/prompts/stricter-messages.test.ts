import { stricterMessages } from './stricter-messages.js';

const call = (id: string, name: string) => ({
  id,
  type: 'function',
  function: { name, arguments: '{}' },
});

/** The order of calls and results: the names of the calls, and the texts of the results. */
const orderOf = (messages: readonly unknown[]) =>
  (messages as { content: string; tool_calls?: ReturnType<typeof call>[] }[]).map(
    ({ content, tool_calls: calls }) => calls?.map((one) => one.function.name).join() ?? content,
  );

test.each([
  ['ids of their own', 'x', 'y'],
  ['no ids', '', ''],
])('each of two calls with %s is followed by its result', (_, first, second) => {
  const stricter = stricterMessages([
    { role: 'user', content: 'go' },
    {
      role: 'assistant',
      content: 'both',
      reasoning_content: 'thought',
      tool_calls: [call(first, 'a'), call(second, 'b')],
    },
    { role: 'tool', tool_call_id: first, content: 'of a' },
    { role: 'tool', tool_call_id: second, content: 'of b' },
  ]);
  expect(orderOf(stricter)).toEqual(['go', 'a', 'of a', 'b', 'of b']);
  expect(stricter[1]).toMatchObject({ content: 'both', reasoning_content: 'thought' });
  expect(stricter[3]).toMatchObject({ content: '', reasoning_content: '' });
});

test('a message without reasoning gets none', () => {
  const stricter = stricterMessages([
    { role: 'user', content: 'go' },
    { role: 'assistant', content: '', tool_calls: [call('x', 'a'), call('y', 'b')] },
  ]);
  expect(stricter[2]).not.toHaveProperty('reasoning_content');
});
