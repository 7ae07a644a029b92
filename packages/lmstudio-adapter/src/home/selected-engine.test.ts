import { toSelectedEngine } from './selected-engine.js';

test.each([
  ['GGUF', 'llama.cpp-win-x86_64-nvidia-cuda12-avx2', 'gguf', 'cuda'],
  ['gguf', 'llama.cpp-linux-x86_64-amd-rocm-avx2', 'gguf', 'rocm'],
  ['gguf', 'llama.cpp-linux-x86_64-vulkan-avx2', 'gguf', 'vulkan'],
  ['gguf', 'llama.cpp-mac-arm64-apple-metal-advsimd', 'gguf', 'metal'],
  ['gguf', 'llama.cpp-linux-x86_64-avx2', 'gguf', 'cpu'],
  ['gguf', 'llama.cpp-linux-arm64-advsimd', 'gguf', 'cpu'],
  // LM Studio lists MLX engines under the format of their files.
  ['safetensors', 'mlx-llm-mac-arm64-apple-metal-advsimd', 'mlx', 'metal'],
  ['gguf', 'something-new', 'gguf', null],
])('the %s engine %s is for %s and %s', (listed, name, format, backend) => {
  expect(toSelectedEngine(listed, name, '2.28.2')).toEqual({
    format,
    name,
    version: '2.28.2',
    backend,
  });
});
