import { engineNamed, onBackend } from './chosen-engine.js';

test.each([
  ['llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2', 'lmstudio', 'cuda'],
  ['lmstudio@llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2', 'lmstudio', 'cuda'],
  ['lmstudio@v2.28.2', 'lmstudio', null],
  ['llama.cpp@b9849', 'llama.cpp', null],
])('%s names an engine: %s, back end %s', (name, engine, backend) => {
  const { profile } = engineNamed(name);
  expect(profile).toMatchObject({ engine });
  if (engine === 'lmstudio') expect(profile).toMatchObject({ backend, runtimeVersion: '2.28.2' });
});

test.each(['ollama', 'LMStudio', 'llama.cpp-linux', 'lmstudio@'])('%s names no engine', (name) => {
  expect(() => engineNamed(name)).toThrow(/There is no engine/);
});

// Logs of CUDA have flash attention on, and a capture without CUDA has it off.
test.each([
  ['lmstudio@2.28.2', 'cuda', 'cuda', true],
  ['lmstudio@2.28.2', 'vulkan', 'vulkan', false],
  ['lmstudio@2.28.2', null, null, false],
  ['llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2', 'vulkan', 'cuda', true],
] as const)(
  '%s with the back end %s has the defaults of %s: flash attention %s',
  (name, asked, backend, attention) => {
    const { profile } = onBackend(engineNamed(name), asked);
    expect(profile).toMatchObject({ backend, runtimeVersion: '2.28.2' });
    expect(profile.settings.flashAttention).toMatchObject({
      value: attention,
      alternatives: [!attention],
    });
  },
);
