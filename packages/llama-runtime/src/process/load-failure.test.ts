import { isFileRefused, loadFailureOf } from './load-failure.js';

describe('The reason of a failed load', () => {
  it('is what llama.cpp says before it repeats that the load failed', () => {
    const log = [
      'gguf_init_from_reader: failed to read header',
      'llama_model_load: error loading model: llama_model_loader: failed to load model from /m/a.gguf',
      'llama_model_load_from_file_impl: failed to load model',
      "cmn  common_init_: failed to load model '/m/a.gguf'",
      '',
    ].join('\n');
    expect(loadFailureOf(log)).toEqual({
      message:
        'gguf_init_from_reader: failed to read header; llama_model_load: error loading model: llama_model_loader: failed to load model from /m/a.gguf',
      outOfMemory: false,
    });
  });

  it.each([
    'ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1234567',
    'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 8192.00 MiB on device 0: cudaMalloc failed: out of memory',
    'std::bad_alloc',
    // Comfy-Org/ComfyUI #8065
    'The paging file is too small for this operation to complete. (os error 1455)',
    'vk::Device::allocateMemory: ErrorOutOfDeviceMemory',
  ])('says that memory ran out: %s', (line) => {
    expect(loadFailureOf(line)).toEqual({ message: line, outOfMemory: true });
  });

  it('leaves out the facts that llama.cpp prints about the model', () => {
    const log =
      "print_info: rope_finetuned        = unknown\nllama_model_load: error loading model: missing tensor 'output_norm.weight'";
    expect(loadFailureOf(log).message).toBe(
      "llama_model_load: error loading model: missing tensor 'output_norm.weight'",
    );
  });

  // As llama.cpp v0.5.0 prints them for files with these faults.
  it.each([
    'gguf_init_from_reader: failed to read header',
    "llama_model_load: error loading model: missing tensor 'token_embd.weight'",
    'llama_model_load: error loading model: error loading model hyperparameters: key not found in model: qwen3.block_count',
    'llama_model_load: error loading model: error loading model vocabulary: cannot find tokenizer merges in model file',
    'llama_model_load: error loading model: done_getting_tensors: wrong number of tensors; expected 21, got 20',
    "llama_model_load: error loading model: check_tensor_dims: tensor 'output_norm.weight' has wrong shape; expected 64, got 65",
  ])('is about the file: %s', (line) => {
    expect(isFileRefused(line)).toBe(true);
  });

  it.each([
    'ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 1234567',
    'llama_init_from_model: failed to initialize the context: quantized V cache was requested, but this requires Flash Attention',
    'llama.cpp gave no reason',
  ])('is not about the file: %s', (line) => {
    expect(isFileRefused(line)).toBe(false);
  });

  it('is named as unknown where the log says nothing', () => {
    expect(loadFailureOf('').message).toBe('llama.cpp gave no reason');
  });
});
