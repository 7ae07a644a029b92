import { stat } from 'node:fs/promises';
import type { ModelSource, StoreFinding, StoreName } from '../stores/stored-model.js';

/** One model, with all its findings. The first finding is the one that describes it. */
export type SameModel = readonly [StoreFinding, ...StoreFinding[]];

/** The store whose name for a model becomes its key, where several stores have the model. */
const PREFERENCE: readonly StoreName[] = [
  'lmstudio', // the built-in configuration uses LM Studio's keys
  'ollama',
  'huggingface',
  'llama.cpp',
  'jan',
  'gpt4all',
  'folder',
];

/**
 * Joins the findings of one model. Two findings are one model if their first files are the same file (through links
 * or as hard links), or if both stores state the same SHA-256 and the files have the same size.
 */
export async function mergeFindings(
  findings: readonly StoreFinding[],
): Promise<readonly SameModel[]> {
  const identified = await Promise.all(
    [...findings].sort(byPreference).map(async (finding) => ({
      finding,
      identities: await identitiesOf(finding),
    })),
  );
  // Each finding points to an earlier finding of the same model, or to itself.
  const earlier = identified.map((_, index) => index);
  const firstOf = (index: number): number => {
    const next = earlier[index] ?? index;
    return next === index ? index : firstOf(next);
  };
  const known = new Map<string, number>();
  for (const [index, { identities }] of identified.entries()) {
    for (const identity of identities) {
      const other = firstOf(known.get(identity) ?? index);
      const own = firstOf(index);
      // A finding with two identities can show that two earlier findings are one model.
      earlier[Math.max(own, other)] = Math.min(own, other);
      known.set(identity, other);
    }
  }
  const groups = new Map<number, StoreFinding[]>();
  for (const [index, { finding }] of identified.entries()) {
    const first = firstOf(index);
    groups.set(first, [...(groups.get(first) ?? []), finding]);
  }
  return [...groups.values()].flatMap(([first, ...others]): SameModel[] =>
    first === undefined ? [] : [[first, ...others]],
  );
}

/** All places of a model, each once. */
export function sourcesOf(same: SameModel): readonly ModelSource[] {
  const byName = new Map(
    same.map(({ source }) => [`${source.store} ${source.name} ${source.path}`, source]),
  );
  return [...byName.values()];
}

async function identitiesOf({ model, sha256 }: StoreFinding): Promise<readonly string[]> {
  // BigInt, because the numbers of files on Windows exceed the range of exact numbers.
  const found = await stat(model.filePath, { bigint: true }).catch(() => null);
  const size = found?.size ?? 0n;
  return [
    found === null ? `path ${model.filePath}` : `file ${found.dev} ${found.ino}`,
    ...(sha256 === null ? [] : [`sha256 ${sha256} ${size}`]),
  ];
}

function byPreference(a: StoreFinding, b: StoreFinding): number {
  return (
    PREFERENCE.indexOf(a.source.store) - PREFERENCE.indexOf(b.source.store) ||
    // Several names of Ollama can mean one model. `llama3.2:3b` says more than `llama3.2:latest`.
    Number(a.source.name.endsWith(':latest')) - Number(b.source.name.endsWith(':latest')) ||
    // A link within a folder makes a longer name for a file that is in the folder already.
    depthOf(a) - depthOf(b) ||
    (a.source.name < b.source.name ? -1 : a.source.name > b.source.name ? 1 : 0) ||
    (a.source.path < b.source.path ? -1 : 1)
  );
}

function depthOf({ source }: StoreFinding): number {
  return source.name.split('/').length;
}
