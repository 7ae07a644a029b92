import { baseKeyOf } from '@mai/memory-ledger';
import {
  ANY_MODEL,
  type ServingCatalog,
  type ServingModel,
  type ServingRequest,
} from '../ports/serving-port.js';
import type { Failure, RequestFacts } from '../protocols/protocol.js';
import { findModel, type NamedModel } from './model-name.js';
import { notListed } from './not-listed.js';
import {
  contextBounds,
  contextCondition,
  requiredContext,
  type ContextBounds,
} from './required-context.js';
import type { TokenCounter } from './token-counter.js';
import { createFailure } from '../protocols/create-failure.js';

/** The model that a request names, as a request to the machine. */
export type Resolution =
  | {
      readonly kind: 'resolved';
      readonly wanted: ServingRequest;
      /**
       * The requests that are tried in order where nothing fits. The first is the same with the longest context that the models
       * have without a longer load: the need is an estimate, so the runtime may serve the request nevertheless. Then follow those
       * to models that get tools described.
       */
      readonly alternatives: readonly ServingRequest[];
      /** The longest context that the models allow; null where the request sets no condition on the context. */
      readonly longest: number | null;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Resolves the model's name of a request. */
export type ResolveModel = (facts: RequestFacts, catalog: ServingCatalog) => Resolution;

/**
 * Creates the function that resolves names. `findModel` returns the model that a name means.
 *
 * - `auto` asks for the capabilities and the context length that the request needs. Where the name has no chain, and no
 *   model of the default chain has the capabilities, it means the first chain with such a model: images and embeddings
 *   need no name of their own. Models whose chat template has no tools are the last choice for a request with tools, where
 *   the embedded engine is the runtime: it describes the tools in the prompt.
 * - A key or an instance asks for no capability: the client wants that model, and the runtime's error says what it cannot do. Only
 *   a model of the other kind is refused here: asked for the embeddings of a chat model, LM Studio says that no model is loaded
 *   (lmstudio-bug-tracker #1908), and asked for a chat with an embedding model, that its name is invalid.
 * - An unknown name is refused, with 503 while the list of models is not complete, so that clients ask again. LM Studio answers it
 *   from the only loaded model, or with 404 where several are loaded (lmstudio-bug-tracker #619, gitbutler #8706), so a typing error
 *   would decide which model answers.
 */
export function createResolveModel(counter: TokenCounter): ResolveModel {
  const meanings = new WeakMap<ServingCatalog, Map<string, Meaning>>();
  /** Programs send the same few names again and again, so their meanings are kept as long as the catalog. */
  const meaningOf = (facts: RequestFacts, catalog: ServingCatalog): Meaning | Failure => {
    const key = `${facts.capabilities.join()}\n${facts.model ?? ''}`;
    const known = meanings.get(catalog) ?? new Map<string, Meaning>();
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const named = findModel(facts.model, catalog);
    if (named.kind === 'unknown') {
      const { message, mayExist } = named;
      return mayExist ? notListed(message) : createFailure('model_not_found', 404, message);
    }
    const refusal = refusalOfKind(named, facts.capabilities, catalog);
    if (refusal !== null) return refusal;
    const meaning = meaningBy(named, facts.capabilities, catalog);
    if (known.size < MEANINGS_MAX && key.length <= KEPT_NAME_MAX) known.set(key, meaning);
    meanings.set(catalog, known);
    return meaning;
  };
  /** The request with the context that it needs, and with the usual one where it needs more. */
  const withContextOf = (
    { wanted, context, withContext }: Meaning,
    facts: RequestFacts,
  ): readonly [ServingRequest, ...ServingRequest[]] => {
    const tokens = context && requiredContext(facts, context, counter);
    if (context === null || tokens === null) return [wanted];
    const conditioned = withContext.get(tokens) ?? {
      ...wanted,
      ...contextCondition(tokens, facts),
    };
    withContext.set(tokens, conditioned);
    return tokens > context.usual
      ? [conditioned, { ...wanted, minContextLengthTokens: context.usual }]
      : [conditioned];
  };
  return (facts, catalog) => {
    const meaning = meaningOf(facts, catalog);
    if ('code' in meaning) return { kind: 'failed', failure: meaning };
    const { described, context } = meaning;
    const [wanted, ...alternatives] = [
      ...withContextOf(meaning, facts),
      ...(described === null ? [] : withContextOf(described, facts)),
    ];
    return { kind: 'resolved', wanted, alternatives, longest: context?.longest ?? null };
  };
}

/** What a name means for requests with the same capabilities. */
interface Meaning {
  /** The request to the machine, without a condition on the context. */
  readonly wanted: ServingRequest;
  /** Null where a request gets no condition on the context. */
  readonly context: ContextBounds | null;
  /** The same with each condition on the context that was asked for. Conditions are rounded, so there are few. */
  readonly withContext: Map<number, ServingRequest>;
  /** The same for all models, to which the engine describes the tools; null where this changes nothing. */
  readonly described: Meaning | null;
}

/** Names are texts of clients, so neither their number nor their length is bounded otherwise. */
const MEANINGS_MAX = 256;
const KEPT_NAME_MAX = 256;

/** Other models that a refusal names. */
const NAMES_MAX = 3;

function meaningBy(
  named: Exclude<NamedModel, { kind: 'unknown' }>,
  needed: readonly string[],
  catalog: ServingCatalog,
): Meaning {
  switch (named.kind) {
    case 'instance': {
      const { instanceIdentifier } = named;
      const wanted = { ...ANY_MODEL, instanceIdentifier };
      return { wanted, context: null, withContext: new Map(), described: null };
    }
    case 'key': {
      const { modelKey } = named;
      const models = modelsNamed(modelKey, catalog);
      // A resident that a person has loaded serves with its own context: a second copy beside it would surprise.
      const isForeign = models.some(({ residents }) => residents.some(({ foreign }) => foreign));
      // A quantization that `models` does not have has the context length of its model.
      const known = models.length > 0 ? models : modelsNamed(baseKeyOf(modelKey), catalog);
      return {
        wanted: { ...ANY_MODEL, modelKey },
        context: isForeign ? null : contextBounds(known),
        withContext: new Map(),
        described: null,
      };
    }
    case 'auto': {
      const meaning = autoFor(named, needed, catalog);
      if (!mayDescribeTools(named, needed, catalog)) return meaning;
      const others = needed.filter((capability) => capability !== 'tools');
      const described = autoFor(named, others, catalog);
      if (candidates(described.wanted, catalog).length === 0) return meaning;
      // Without a model that has tools, the description is the only way.
      const hasTools = candidates(meaning.wanted, catalog).length > 0;
      return hasTools ? { ...meaning, described } : described;
    }
  }
}

/** The refusal of a chat with an embedding model, and of embeddings by a chat model; null for others. */
function refusalOfKind(
  named: NamedModel,
  needed: readonly string[],
  { models, runtimeAnswers }: ServingCatalog,
): Failure | null {
  const model = models.find(({ modelKey, residents }) =>
    named.kind === 'instance'
      ? residents.some(({ instanceIdentifier }) => instanceIdentifier === named.instanceIdentifier)
      : named.kind === 'key' && modelKey === named.modelKey,
  );
  const kind = needed.includes('embedding') ? 'embedding' : 'llm';
  if (model === undefined || model.kind === kind) return null;
  // Without the runtime's list, the kind of a model is guessed from its name.
  if (!runtimeAnswers || !model.downloaded) return null;
  const [does, other] =
    kind === 'llm'
      ? ['makes embeddings and writes no text', 'writes text']
      : ['makes no embeddings', 'makes embeddings'];
  const others = models.filter((one) => one.downloaded && one.kind === kind);
  const names = others.slice(0, NAMES_MAX).map(({ modelKey }) => JSON.stringify(modelKey));
  const next =
    names.length === 0
      ? `Download a model that ${other}`
      : `Ask for another model: ${['"auto"', ...names].join(', ')}`;
  return createFailure('not_capable', 400, `${model.modelKey} ${does}. ${next}.`);
}

function autoFor(
  { tiers, chain, capabilities: named }: Extract<NamedModel, { kind: 'auto' }>,
  needed: readonly string[],
  catalog: ServingCatalog,
): Meaning {
  const capabilities = [...new Set([...needed, ...named])];
  const asked = { ...ANY_MODEL, tiers, chain, capabilities };
  const wanted = { ...asked, chain: asked.chain ?? chainWith(asked, catalog) };
  const context = contextBounds(candidates(wanted, catalog));
  return { wanted, context, withContext: new Map(), described: null };
}

/**
 * Whether tools may be described in the prompt. A fleet may send the request to LM Studio. A name such as `auto:tools` asks for
 * models that are trained for tools.
 */
function mayDescribeTools(
  { capabilities }: Extract<NamedModel, { kind: 'auto' }>,
  needed: readonly string[],
  { runtime, hosts }: ServingCatalog,
): boolean {
  const isOfEngine = runtime === 'embedded' && hosts === null;
  return isOfEngine && needed.includes('tools') && !capabilities.includes('tools');
}

function modelsNamed(modelKey: string, { models }: ServingCatalog): readonly ServingModel[] {
  return models.filter((model) => model.modelKey === modelKey);
}

/** The chain of a request that names none: null for the default chain. */
function chainWith(wanted: ServingRequest, catalog: ServingCatalog): string | null {
  if (candidates(wanted, catalog).length > 0) return null;
  const chains = Object.keys(catalog.chains);
  return chains.find((chain) => candidates({ ...wanted, chain }, catalog).length > 0) ?? null;
}

/** The downloaded models that meet a request for a chain at some context length. */
function candidates(
  { capabilities, tiers, chain }: ServingRequest,
  catalog: ServingCatalog,
): readonly ServingModel[] {
  const keys = catalog.chains[chain ?? 'default'] ?? [];
  return catalog.models.filter(
    (model) =>
      model.downloaded &&
      keys.includes(model.modelKey) &&
      (tiers === null || tiers.includes(model.tier)) &&
      capabilities.every((one) => model.capabilities.includes(one)),
  );
}
