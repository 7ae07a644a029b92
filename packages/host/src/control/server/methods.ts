import { leaseFactsOf, type AutopilotService, type ServiceLease } from '../autopilot-service.js';
import { parseParams } from './parse-params.js';

/** The context of a client's call. */
export interface ServedCall {
  readonly params: unknown;
  /** Fires when the client cancels the call, or its connection ends. */
  readonly signal: AbortSignal;
  /** Sends a part before the answer. Resolves once few sent bytes are unread. */
  readonly part: (value: unknown) => Promise<void>;
  /** The leases of this connection. */
  readonly leases: ConnectionLeases;
}

/** The leases of one connection. Each has a number. */
export interface ConnectionLeases {
  add(lease: ServiceLease): number;
  release(number: number): Promise<void>;
}

/** The methods that a client may call, by name. */
export const METHODS = {
  acquire: async (service, { params, signal, leases }) => {
    const lease = await service.acquire(parseParams.leaseRequest(params), { signal });
    if (signal.aborted) {
      await lease.release();
      signal.throwIfAborted();
    }
    return { lease: leases.add(lease), ...leaseFactsOf(lease) };
  },
  plan: (service, { params, signal }) => service.plan(parseParams.leaseRequest(params), { signal }),
  release: (_service, { params, leases }) => leases.release(parseParams.lease(params)),
  pin: (service, { params, signal }) => service.pin(parseParams.target(params), { signal }),
  unpin: (service, { params, signal }) => service.unpin(parseParams.names(params), { signal }),
  yieldMemory: (service, { params, signal }) =>
    service.yieldMemory(parseParams.yield(params), { signal }),
  endYield: (service, { params, signal }) =>
    service.endYield(parseParams.names(params), { signal }),
  load: (service, { params, signal, part }) =>
    service.load(parseParams.load(params), {
      signal,
      // Not awaited: a load goes on while its client does not read the progress.
      onProgress: (index, ratio) => void part({ index, ratio }),
    }),
  unload: (service, { params, signal }) => service.unload(parseParams.unload(params), { signal }),
  state: (service, { signal }) => service.state({ signal }),
  events: async (service, { signal, part }) => {
    // Takes the next event once the client has read this one. Meanwhile the service keeps the events and drops
    // the oldest.
    for await (const event of service.events({ signal })) await part(event);
  },
} satisfies Record<string, (service: AutopilotService, call: ServedCall) => Promise<unknown>>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;

/** Whether there is a method of this name. */
export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}
