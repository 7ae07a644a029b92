import type { Host } from '@mai/host';

/** Notes the duration of each load until `stop` is called. */
export function watchLoads({ host }: { readonly host: Pick<Host, 'serving'> }): {
  readonly tookMs: readonly number[];
  stop(): Promise<void>;
} {
  const tookMs: number[] = [];
  const over = new AbortController();
  const watching = (async () => {
    for await (const change of host.serving.changes({ signal: over.signal })) {
      if (change.type === 'loaded') tookMs.push(change.tookMs);
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  return {
    tookMs,
    stop: () => {
      over.abort();
      return watching;
    },
  };
}
