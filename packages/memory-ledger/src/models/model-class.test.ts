import { statedCapabilities, type StatedTasks } from './model-class.js';

const PLAIN: StatedTasks = { kind: 'llm', vision: false, toolUse: false, reasoning: null };

test.each<[Partial<StatedTasks>, readonly string[]]>([
  [{}, ['chat']],
  [{ reasoning: false }, ['chat']],
  [{ reasoning: true, toolUse: true }, ['chat', 'reasoning', 'tools']],
  [{ vision: true }, ['chat', 'vision']],
  [{ kind: 'embedding' }, ['embedding']],
])('the capabilities of %j', (part, expected) => {
  expect(statedCapabilities({ ...PLAIN, ...part })).toEqual(expected);
});
