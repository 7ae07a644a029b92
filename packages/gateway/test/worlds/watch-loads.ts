import type { Host } from '@mai/host';

const LOAD_EVENTS = ['loading', 'loaded', 'load-failed'] as const;
type LoadEvent = (typeof LOAD_EVENTS)[number];
const isLoadEvent = (type: string): type is LoadEvent => LOAD_EVENTS.some((one) => one === type);

/** Notes the begin, the end and the failure of each load until `stop` is called. */
export function watchLoads({ host }: { readonly host: Pick<Host, 'serving'> }): {
  readonly events: readonly LoadEvent[];
  stop(): Promise<void>;
} {
  const events: LoadEvent[] = [];
  const over = new AbortController();
  const watching = (async () => {
    for await (const change of host.serving.changes({ signal: over.signal })) {
      // Each step of progress is a `loading`, too.
      const isProgress = change.type === 'loading' && events.at(-1) === 'loading';
      if (isLoadEvent(change.type) && !isProgress) events.push(change.type);
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  return {
    events,
    stop: () => {
      over.abort();
      return watching;
    },
  };
}
