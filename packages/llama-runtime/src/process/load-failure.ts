const FAILURE_LINE =
  /error|fail|unable|unsupported|unknown|invalid|out of memory|too small|bad_alloc|missing/i;
/** Lines of the binding and of llama.cpp that follow each failure and say nothing about its cause. */
const REPEATED_LINE =
  /unable to load model|failed to load model$|failed to load model '[^']*'$|failed to load CLIP model|common_init_.*failed|llama_model_load_from_file_impl: failed/i;
const OUT_OF_MEMORY =
  /out of memory|out_?of_?(?:device|host)_?memory|paging file is too small|os error 1455|cannot allocate memory|failed to allocate|unable to allocate|allocation of size .* failed|alloc\w* failed|bad_alloc|ENOMEM/i;
const MOST_LINES = 3;

/** Why a load failed, in plain text. */
export interface LoadFailure {
  readonly message: string;
  readonly outOfMemory: boolean;
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
