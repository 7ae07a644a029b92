import type { CallOptions, ServingCatalog, ServingPort } from '../ports/serving-port.js';
import type { RequestFacts } from '../protocols/protocol.js';
import { aliasOf, autoNames, findModel } from './model-name.js';
import type { ResolveModel } from './resolve-model.js';

/** A name that the gateway offers beside keys and instance identifiers. */
export interface OfferedName {
  readonly name: string;
  readonly kind: 'auto' | 'alias';
  /** The name that an alias stands for; null for `auto`. */
  readonly target: string | null;
}

/** An offered name with the model that it means. */
export interface NameMeaning extends OfferedName {
  /** The model that would serve now; null where none fits, or the decision is not known. */
  readonly modelKey: string | null;
}

/** Without a prompt and without a capability: what the name means by itself. */
const NO_REQUEST: Omit<RequestFacts, 'model'> = {
  stream: false,
  capabilities: [],
  promptBytes: 0,
  images: 0,
  maxOutputTokens: null,
  previousResponseId: null,
};

/** `auto`, `auto:CHAIN` and each alias. An alias with `*` is offered under its pattern, which is a name that it matches. */
export function offeredNames(catalog: ServingCatalog): readonly OfferedName[] {
  return [
    ...autoNames(catalog).map((name) => ({ name, kind: 'auto' as const, target: null })),
    ...catalog.aliases.map(({ pattern, target }) => ({
      name: pattern,
      kind: 'alias' as const,
      target,
    })),
  ];
}

/**
 * A name that is not in the list although a request may have it: `auto:` with tiers and capabilities, or a name that the
 * pattern of an alias matches. Null for other names.
 */
export function unlistedName(name: string, catalog: ServingCatalog): OfferedName | null {
  const { kind } = findModel(name, catalog);
  if (kind === 'unknown') return null;
  const alias = aliasOf(name, catalog);
  if (alias !== null) return { name, kind: 'alias', target: alias.target };
  return kind === 'auto' ? { name, kind, target: null } : null;
}

/** The present meaning of each name. Names with the same meaning share one question to the machine. */
export async function meaningsOf(
  names: readonly OfferedName[],
  catalog: ServingCatalog,
  resolve: ResolveModel,
  plan: ServingPort['plan'],
  options: CallOptions = {},
): Promise<readonly NameMeaning[]> {
  const answers = new Map<string, Promise<string | null>>();
  const modelOf = (name: string): Promise<string | null> => {
    const resolution = resolve({ ...NO_REQUEST, model: name }, catalog);
    if (resolution.kind === 'failed') return Promise.resolve(null);
    const { wanted } = resolution;
    if (wanted.modelKey !== null) return Promise.resolve(wanted.modelKey);
    const key = JSON.stringify(wanted);
    const answer =
      answers.get(key) ??
      plan(wanted, options).then(
        ({ modelKey }) => modelKey,
        () => {
          options.signal?.throwIfAborted();
          // The machine is out of reach. The names are listed nevertheless.
          return null;
        },
      );
    answers.set(key, answer);
    return answer;
  };
  return Promise.all(names.map(async (one) => ({ ...one, modelKey: await modelOf(one.name) })));
}
