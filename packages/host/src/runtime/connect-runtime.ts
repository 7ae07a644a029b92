import type { LMStudioClient, LMStudioError, UnconfirmedLoad } from '@mai/lmstudio-adapter';
import { connect, isLMStudioError } from '@mai/lmstudio-adapter';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import { orAborted } from '../or-aborted.js';

/** LM Studio's state: running, or off with the reason and the next step. */
export type RuntimeLink =
  | { readonly kind: 'on'; readonly client: LMStudioClient }
  | { readonly kind: 'off'; readonly reason: LMStudioError };

/** The connection of a host to its runtime. It is made on first use and then kept. */
export interface RuntimeConnection extends AsyncDisposable {
  /**
   * The runtime, or why it is off. Where it is off, the next call tries to connect again.
   * @throws LMStudioError of every code except `UNREACHABLE`; HostError for a malformed address
   */
  link(signal: AbortSignal): Promise<RuntimeLink>;
  /**
   * The connected runtime. @throws as `link`, and LMStudioError `UNREACHABLE` where LM Studio is off
   */
  client(signal: AbortSignal): Promise<LMStudioClient>;
  /** Forgets a connection that was lost, so that the next call connects again. */
  forget(client: LMStudioClient): void;
}

/** Creates the object without connecting. */
export function createRuntimeConnection(context: HostContext): RuntimeConnection {
  let current: LMStudioClient | null = null;
  let connecting: Promise<RuntimeLink> | null = null;
  const opened = new Set<LMStudioClient>();

  const warnOfLoad = ({ modelKey, instanceIdentifier }: UnconfirmedLoad): void =>
    context.warn(
      `LM Studio has not confirmed that it stopped loading ${modelKey}. It may still appear as ${instanceIdentifier}. \`mai status\` shows it; \`mai unload ${instanceIdentifier}\` removes it.`,
    );
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
    // Callers share one attempt to connect. Each caller stops waiting when its own signal fires.
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
      // Also closes forgotten connections, because calls may still have used them.
      await Promise.all([...opened].map((client) => client.close()));
      for (const client of opened) client.unconfirmedLoads().forEach(warnOfLoad);
    },
  };
}

/** Connects. LM Studio counts as off only where the error is `UNREACHABLE`. */
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
    // The adapter throws a TypeError for a malformed address.
    if (error instanceof TypeError && url !== null) {
      throw new HostError('INVALID_REQUEST', error.message, { cause: error });
    }
    throw error;
  }
}
