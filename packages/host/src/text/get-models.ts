import type { DownloadsOrigin } from '../downloads/downloads-report.js';

/** How to get a first model, where no model was found. */
export function getModels({ kind }: Pick<DownloadsOrigin, 'kind'>): string {
  return kind === 'stores'
    ? 'Name a folder that has GGUF files with --models, or as model_folders in the configuration. Models of LM Studio, Ollama, the Hugging Face cache, llama.cpp, Jan and GPT4All are found without that.'
    : 'Get a model in LM Studio, or with: lms get qwen/qwen3-4b.';
}
