import type { History, MemorySample } from '../api/api.generated.js';

/** One area of the stack, from the bottom up. */
export interface Layer {
  /** `others`, `yielded`, or an instance identifier. */
  readonly key: string;
  /** The bytes of this layer alone at each time; null where there is no sample. */
  readonly bytes: readonly (number | null)[];
  /** The upper edge: the sum of this layer and all layers below. */
  readonly tops: readonly (number | null)[];
}

/** The stacked areas of one pool. */
export interface Stack {
  /** Epoch seconds, ascending. */
  readonly times: readonly number[];
  /** The first is the use by other programs, the second what yields keep free. */
  readonly layers: readonly Layer[];
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly hardLimitBytes: number;
}

/** A longer time without a sample is drawn as a gap. */
const GAP_MS = 20_000;

type Figures = MemorySample['pools'][number];

/**
 * Stacks the samples of one pool: other programs at the bottom, what yields keep free for them, then each resident in the order of its first sample,
 * so that an area keeps its place.
 */
export function stackSeries(
  samples: readonly MemorySample[],
  { pool, totalBytes, limitBytes, hardLimitBytes }: History['pools'][number],
): Stack {
  const points: { readonly atMs: number; readonly figures: Figures | null }[] = [];
  for (const { atMs, pools } of samples) {
    const figures = pools.find((one) => one.pool === pool);
    if (figures === undefined) continue;
    const before = points.at(-1);
    if (before !== undefined && atMs - before.atMs > GAP_MS) {
      points.push({ atMs: before.atMs + 1, figures: null });
    }
    points.push({ atMs, figures });
  }
  const identifiers = new Set(
    points.flatMap(({ figures }) => figures?.residents.map((one) => one.instanceIdentifier) ?? []),
  );
  const layers: Layer[] = [];
  const add = (key: string, bytesOf: (figures: Figures) => number): void => {
    const below = layers.at(-1)?.tops;
    const bytes = points.map(({ figures }) => (figures === null ? null : bytesOf(figures)));
    const tops = bytes.map((own, index) => (own === null ? null : own + (below?.[index] ?? 0)));
    layers.push({ key, bytes, tops });
  };
  add('others', ({ othersBytes, yieldedBytes }) => othersBytes - yieldedBytes);
  add('yielded', ({ yieldedBytes }) => yieldedBytes);
  for (const identifier of identifiers) add(identifier, (figures) => takes(figures, identifier));
  return {
    times: points.map(({ atMs }) => atMs / 1000),
    layers,
    totalBytes,
    limitBytes,
    hardLimitBytes,
  };
}

function takes({ residents }: Figures, identifier: string): number {
  return residents.find((one) => one.instanceIdentifier === identifier)?.bytes ?? 0;
}
