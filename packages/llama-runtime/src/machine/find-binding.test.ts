import { findBinding, llamaCppBuild } from './find-binding.js';

test('finds the installed build, and knows its build of llama.cpp', async () => {
  const { version } = await findBinding(true, __filename);
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(llamaCppBuild(version)).toBeGreaterThan(10_000);
});

test('a missing binding is ENGINE_MISSING, in one sentence that names the package', async () => {
  await expect(findBinding(true, '/nowhere/index.js')).rejects.toMatchObject({
    code: 'ENGINE_MISSING',
    message: expect.stringMatching(/^[^.]+'npm install @fugood\/node-llama-[^.]+\.$/),
  });
});
