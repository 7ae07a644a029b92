import type { LMStudioClient, LMStudioError } from '@mai/lmstudio-adapter';
import { connect, isLMStudioError } from '@mai/lmstudio-adapter';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';

/** LM Studio as it was found: running, or off with the reason and what to do about it. */
export type RuntimeLink =
  | { readonly kind: 'on'; readonly client: LMStudioClient }
  | { readonly kind: 'off'; readonly reason: LMStudioError };

/** The connection of a host to its runtime, made when it is first needed and kept. */
export interface RuntimeConnection extends AsyncDisposable {
  /**
   * The runtime, or why it is off; then the next call looks for it again.
   * @throws LMStudioError of any other code than `UNREACHABLE`; HostError for a malformed address
   */
  link(signal: AbortSignal): Promise<RuntimeLink>;
  /** The same for those who can't do without. @throws LMStudioError `UNREACHABLE` as well */
  client(signal: AbortSignal): Promise<LMStudioClient>;
  /** What was connected has gone away: the next call looks for it anew. */
  forget(client: LMStudioClient): void;
}

/** Connects nothing yet. */
export function createRuntimeConnection(context: HostContext): RuntimeConnection {
  let current: LMStudioClient | null = null;
  let connecting: Promise<RuntimeLink> | null = null;
  const opened = new Set<LMStudioClient>();

  const open = async (): Promise<RuntimeLink> => {
    const link = await connectRuntime(context);
    if (link.kind === 'on') {
      current = link.client;
      opened.add(link.client);
    }
    return link;
  };
  const link = async (signal: AbortSignal): Promise<RuntimeLink> => {
    if (current !== null) return { kind: 'on', client: current };
    connecting ??= open().finally(() => (connecting = null));
    // Callers share the attempt; each gives up by its own signal.
    return orAborted(connecting, signal);
  };
  return {
    link,
    client: async (signal) => {
      const found = await link(signal);
      if (found.kind === 'off') throw found.reason;
      return found.client;
    },
    forget: (client) => {
      if (current === client) current = null;
    },
    [Symbol.asyncDispose]: async () => {
      await connecting?.catch(() => undefined);
      // Also those that were forgotten: others may have used them until now.
      await Promise.all([...opened].map((client) => client.close()));
    },
  };
}

/** Only `UNREACHABLE` counts as off. */
async function connectRuntime(context: HostContext): Promise<RuntimeLink> {
  const { url, apiToken, timeoutMs, signal, userHome, env } = context;
  try {
    const client = await connect({
      baseUrl: url ?? undefined,
      apiToken,
      timeoutMs: timeoutMs ?? undefined,
      signal,
      userHome,
      env,
    });
    return { kind: 'on', client };
  } catch (error) {
    if (isLMStudioError(error) && error.code === 'UNREACHABLE') {
      return { kind: 'off', reason: error };
    }
    // What the adapter throws for a malformed address.
    if (error instanceof TypeError && url !== null) {
      throw new HostError('INVALID_REQUEST', error.message, { cause: error });
    }
    throw error;
  }
}

/** Settles as `promise` does, or rejects with the signal's reason, whichever comes first. */
export function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(done);
  });
}
