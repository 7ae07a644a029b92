import { builtInFile } from './built-in-file.generated.js';

/**
 * The content of a file with the built-in models and chains, where the file has no `models`. Chains that the file defines replace
 * the built-in chains of the same name. A file with `models`, or with content that is not a map, is returned unchanged.
 */
export function withBuiltInModels<Content>(content: Content): Content {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  if ('models' in content && content.models !== undefined) return content;
  const own = 'fallback_chains' in content ? content.fallback_chains : undefined;
  // A wrong type is kept, because the schema reports it.
  const isMap =
    own === undefined || (typeof own === 'object' && own !== null && !Array.isArray(own));
  return {
    ...content,
    models: builtInFile.models,
    fallback_chains: isMap ? { ...builtInFile.fallback_chains, ...own } : own,
  };
}
