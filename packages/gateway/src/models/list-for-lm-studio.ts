import { isJsonObject, type JsonObject } from '../json.js';
import type { ListedModel, ModelList } from './list-models.js';

/** Clients such as Zed refuse a list with an entry that lacks its context length. LM Studio's default length is a safe guess. */
const UNKNOWN_CONTEXT = 4096;

/**
 * Zed refuses a list with an entry that lacks its format, or has another one than `gguf` and `mlx`
 * (zed-industries/zed, `crates/lmstudio`). A name such as `auto` stands for models of any format.
 */
const USUAL_FORMAT = 'gguf';

/**
 * The body of `GET /api/v0/models`: LM Studio's own entries unchanged, with `auto`, the chains and the aliases before them.
 * Where LM Studio has not answered, its entries are made from what Mai knows. Fields:
 * https://lmstudio.ai/docs/developer/rest/endpoints
 *
 * @param own - LM Studio's answer; null where there is none
 */
export function listForLmStudio(own: unknown, { data }: ModelList): JsonObject {
  const theirs = entriesIn(own);
  const known = new Set((theirs ?? []).map((one) => (isJsonObject(one) ? one['id'] : null)));
  const added = data.filter(
    ({ id, mai }) => !known.has(id) && (theirs === null || isName(mai.kind)),
  );
  // `auto` means another model for a request that needs more.
  const ofAny = [...new Set(data.flatMap(({ mai }) => mai.capabilities))];
  const entries = added.map((model) =>
    toEntry(model, model.id === 'auto' ? ofAny : model.mai.capabilities),
  );
  return { object: 'list', data: [...entries, ...(theirs ?? [])] };
}

function isName(kind: ListedModel['mai']['kind']): boolean {
  return kind === 'auto' || kind === 'alias';
}

function entriesIn(own: unknown): readonly unknown[] | null {
  const list: unknown = isJsonObject(own) ? own['data'] : null;
  return Array.isArray(list) ? list : null;
}

/** Zed's words for what a model can do: it offers no tools and takes no images without them (zed `crates/lmstudio`). */
const CAPABILITY_WORDS: ReadonlyMap<string, string> = new Map([
  ['tools', 'tool_use'],
  ['vision', 'vision'],
]);

function toEntry(
  { id, owned_by: publisher, type, state, mai, ...lengths }: ListedModel,
  capabilities: readonly string[],
): JsonObject {
  const words = [...CAPABILITY_WORDS].flatMap(([ours, theirs]) =>
    capabilities.includes(ours) ? [theirs] : [],
  );
  const { max_context_length: longest, loaded_context_length: loaded } = lengths;
  return {
    id,
    object: 'model',
    type,
    publisher,
    compatibility_type: USUAL_FORMAT,
    state,
    max_context_length: longest ?? loaded ?? mai.context_length ?? UNKNOWN_CONTEXT,
    ...(loaded === null ? {} : { loaded_context_length: loaded }),
    ...(words.length === 0 ? {} : { capabilities: words }),
    mai,
  };
}
