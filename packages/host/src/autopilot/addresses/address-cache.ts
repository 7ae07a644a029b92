import type { LMStudioClient } from '@mai/lmstudio-adapter';
import type { HostContext } from '../../host-options.js';
import { orAborted } from '../../promises/or-aborted.js';
import type { ActiveLink } from '../../runtime/connect-runtime.js';
import type { OpenAiAddress } from '../../runtime/runtime-client.js';
import { isRuntimeError } from '../../runtime/runtime-error.js';
import { findOpenAiAddress } from './openai-address.js';

/** For how long an address is used without asking LM Studio's HTTP server again. */
const FRESH_MS = 5000;

/** Finds the address of a resident; null where the resident is not loaded. */
export type AddressLookup = (instanceIdentifier: string) => Promise<OpenAiAddress | null>;

/** Finds the addresses for OpenAI clients, and keeps that of LM Studio for some seconds. */
export interface AddressCache {
  /**
   * The addresses of a runtime's residents: one for all of them in LM Studio, one for each in the embedded engine.
   *
   * @throws as `findOpenAiAddress`, so that no model is loaded for an HTTP server that is off. An error is not kept.
   */
  of(link: ActiveLink, signal: AbortSignal): Promise<AddressLookup>;
}

/** Creates an empty cache. */
export function createAddressCache(context: HostContext): AddressCache {
  const { clock } = context;
  const known = new Map<string, { readonly atMs: number; readonly address: OpenAiAddress }>();
  const finding = new Map<string, Promise<OpenAiAddress>>();

  const search = async (
    client: Pick<LMStudioClient, 'baseUrl' | 'host'>,
  ): Promise<OpenAiAddress> => {
    const address = await findOpenAiAddress(context, client, context.signal).catch(
      (error: unknown) => {
        // A machine without CPU time does not answer in time. What it answered before is still the best that is known.
        const last = known.get(client.baseUrl);
        if (last === undefined || !isRuntimeError(error) || error.code !== 'TIMED_OUT') throw error;
        return last.address;
      },
    );
    known.set(client.baseUrl, { atMs: clock.monotonicMs(), address });
    return address;
  };

  const findLMStudio = async (
    client: LMStudioClient,
    signal: AbortSignal,
  ): Promise<OpenAiAddress> => {
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
  };

  return {
    of: async (link, signal) => {
      if (link.runtime === 'embedded') {
        return async (instanceIdentifier) => {
          try {
            return await link.client.addressOf(instanceIdentifier);
          } catch (error) {
            if (isRuntimeError(error) && error.code === 'INSTANCE_NOT_FOUND') return null;
            throw error;
          }
        };
      }
      const address = await findLMStudio(link.client, signal);
      return () => Promise.resolve(address);
    },
  };
}
