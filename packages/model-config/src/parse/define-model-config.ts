import { withBuiltInModels } from '../built-in/with-built-in-models.js';
import { checkContradictions } from '../diagnostics/check-contradictions.js';
import { checkReferences } from '../diagnostics/check-references.js';
import { formatPath } from '../diagnostics/issue.js';
import { invalidConfigError } from '../diagnostics/model-config-error.js';
import type { ModelConfig } from '../model-config.js';
import type { ModelConfigFile } from '../format/model-config-file.js';
import { toModelConfig } from './to-model-config.js';
import { validateFile } from './validate-file.js';

/** See `defineModelConfig` in lazy.ts. */
export function defineModelConfig(definition: ModelConfigFile): ModelConfig {
  const { findings } = validateFile(definition);
  const all = [
    ...findings,
    ...checkReferences(withBuiltInModels(definition)),
    ...checkContradictions(definition),
  ];
  if (all.length === 0) return toModelConfig(definition);
  throw invalidConfigError(
    null,
    all.map(({ code, path, message, suggestion }) => ({
      code,
      path: formatPath(path),
      message,
      suggestion,
      file: null,
      line: null,
      column: null,
      frame: null,
    })),
  );
}
