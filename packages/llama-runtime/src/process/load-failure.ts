const FAILURE_LINE =
  /error|fail|unable|unsupported|unknown|invalid|out of memory|too small|bad_alloc|missing/i;
/** Lines that say nothing about the cause of a failure: what follows each failure, and facts about the model. */
const REPEATED_LINE =
  /^print_info:|unable to load model|failed to load model$|failed to load model '[^']*'$|failed to load CLIP model|common_init_.*failed|llama_model_load_from_file_impl: failed/i;
const OUT_OF_MEMORY =
  /out of memory|out_?of_?(?:device|host)_?memory|paging file is too small|os error 1455|cannot allocate memory|failed to allocate|unable to allocate|allocation of size .* failed|alloc\w* failed|bad_alloc|ENOMEM/i;
/** What llama.cpp and its GGUF reader say of a file that they cannot load, and that they say of no other model. */
const FILE_REFUSED =
  /unknown model architecture|unknown pre-tokenizer|error loading model (?:architecture|hyperparameters|vocabulary)|wrong number of tensors|missing tensor|tensor '[^']*' (?:not found|has wrong shape)|key not found in model|invalid (?:magic|ggml type)|not within the file bounds|failed to read (?:magic|header|key-value pairs|tensor info|tensor data)|corrupted|gguf_init/i;
const MOST_LINES = 3;

/** Why a load failed, in plain text. */
export interface LoadFailure {
  readonly message: string;
  readonly outOfMemory: boolean;
}

/** Whether the reason of a failed load is about the file, and not about memory, a GPU or a setting. */
export function isFileRefused(message: string): boolean {
  return FILE_REFUSED.test(message);
}

/**
 * Reads the reason of a failed load from llama.cpp's log. The binding ends its process with SIGSEGV where llama.cpp
 * refuses a model, so the parent reads the log from the child's stderr.
 *
 * @param log - the end of stderr, written before the engine was ready
 */
export function loadFailureOf(log: string): LoadFailure {
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => FAILURE_LINE.test(line));
  const causes = lines.filter((line) => !REPEATED_LINE.test(line));
  const shown = (causes.length > 0 ? causes : lines).slice(-MOST_LINES);
  return {
    message: shown.length > 0 ? shown.join('; ') : 'llama.cpp gave no reason',
    outOfMemory: OUT_OF_MEMORY.test(log),
  };
}
