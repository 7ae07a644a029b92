/** The names by which a runtime reports a loaded copy. */
export interface ReportedKeys {
  /** The key that loads this copy again. */
  readonly modelKey: string;
  /** Key of the loaded variant, e.g. `qwen/qwen3-4b@q8_0`; `null`: not reported. */
  readonly variant: string | null;
}

/**
 * A model key without its variant: `qwen/qwen3-4b` for `qwen/qwen3-4b@q8_0`. The first `@` ends the key. LM Studio's own
 * `lms` (src/subcommands/get.ts) accepts no `@` in the owner or the name of a hub model, and what follows the first `@`
 * may be a path, which may contain another `@`.
 */
export function baseKeyOf(modelKey: string): string {
  const at = modelKey.indexOf('@');
  return at > 0 ? modelKey.slice(0, at) : modelKey;
}

/**
 * Whether a model key names this resident. The key of the model and the key of the loaded variant do. A key without
 * `@` names the residents of all quantizations, also where each is a model of its own (`K` for `K@q8_0`). Where the
 * runtime does not report the variant, the key of any variant of the model names the resident.
 */
export function refersTo(modelKey: string, { modelKey: reported, variant }: ReportedKeys): boolean {
  if (modelKey === reported || modelKey === variant) return true;
  if (modelKey === baseKeyOf(variant ?? reported)) return true;
  return variant === null && baseKeyOf(modelKey) === reported;
}
