import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type { HostContext } from '../host-options.js';
import { orAborted } from '../or-aborted.js';
import { findOpenAiAddress, type OpenAiAddress } from './openai-address.js';

/** For how long an address is used without asking LM Studio's HTTP server again. */
const FRESH_MS = 5000;

/** Finds the address for OpenAI clients, and keeps it for some seconds. */
export interface AddressCache {
  /** @throws as `findOpenAiAddress`. An error is not kept. */
  find(
    client: Pick<LMStudioClient, 'baseUrl' | 'host'>,
    signal: AbortSignal,
  ): Promise<OpenAiAddress>;
}

/** Creates an empty cache. */
export function createAddressCache(context: HostContext): AddressCache {
  const { clock } = context;
  const known = new Map<string, { readonly atMs: number; readonly address: OpenAiAddress }>();
  const finding = new Map<string, Promise<OpenAiAddress>>();

  const search = async (
    client: Pick<LMStudioClient, 'baseUrl' | 'host'>,
  ): Promise<OpenAiAddress> => {
    const address = await findOpenAiAddress(context, client, context.signal);
    known.set(client.baseUrl, { atMs: clock.monotonicMs(), address });
    return address;
  };

  return {
    find: async (client, signal) => {
      const { baseUrl } = client;
      const last = known.get(baseUrl);
      if (last !== undefined && clock.monotonicMs() - last.atMs < FRESH_MS) return last.address;
      // Concurrent calls share one search. Each stops waiting when its own signal fires.
      let shared = finding.get(baseUrl);
      if (shared === undefined) {
        shared = search(client).finally(() => finding.delete(baseUrl));
        finding.set(baseUrl, shared);
      }
      return orAborted(shared, signal);
    },
  };
}
