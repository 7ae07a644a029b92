import { detectCapabilities } from './capabilities.js';

type Facts = Parameters<typeof detectCapabilities>[0];

const PLAIN: Facts = { modelKey: 'a/b', kind: 'llm', vision: false, toolUse: false, path: null };

describe('detectCapabilities', () => {
  test.each<[string, Partial<Facts>, readonly string[]]>([
    ['llama-3.2-3b-instruct', {}, ['chat']],
    ['qwen/qwen3-4b', { toolUse: true }, ['chat', 'reasoning', 'tools']],
    ['qwen/qwen3-4b-2507', {}, ['chat', 'reasoning']],
    ['qwen/qwen3-4b-instruct-2507', {}, ['chat']],
    ['qwen/qwen3-4b-thinking-2507', {}, ['chat', 'reasoning']],
    ['qwen/qwen3-coder-30b', { toolUse: true }, ['chat', 'coding', 'tools']],
    ['qwen/qwen2.5-vl-7b', { vision: true }, ['chat', 'vision']],
    ['deepseek-r1-distill-llama-8b', {}, ['chat', 'reasoning']],
    ['openai/gpt-oss-20b', { toolUse: true }, ['chat', 'reasoning', 'tools']],
    ['mistralai/devstral-small', {}, ['chat', 'coding']],
    ['text-embedding-nomic-embed-text-v1.5', { kind: 'embedding' }, ['embedding']],
  ])('of %s', (modelKey, part, expected) => {
    expect(detectCapabilities({ ...PLAIN, modelKey, ...part })).toEqual(expected);
  });
});
