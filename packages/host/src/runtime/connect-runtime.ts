import path from 'node:path';
import type { ListModels } from '@mai/llama-runtime';
import type { LMStudioClient, UnconfirmedLoad } from '@mai/lmstudio-adapter';
import { connect, isLMStudioError } from '@mai/lmstudio-adapter';
import { endAll } from '../promises/end-all.js';
import { HostError } from '../host-error.js';
import type { HostFolders } from '../files/user-folders.js';
import type { HostContext } from '../host-options.js';
import { orAborted } from '../promises/or-aborted.js';
import { chooseRuntime, type RuntimeChoice } from './choose-runtime.js';
import { isRuntimeError, type RuntimeError } from './runtime-error.js';
import type { EmbeddedClient, RuntimeClient, RuntimeName } from './runtime-client.js';

/** A runtime that answers. */
export type ActiveLink =
  | { readonly kind: 'on'; readonly runtime: 'lmstudio'; readonly client: LMStudioClient }
  | { readonly kind: 'on'; readonly runtime: 'embedded'; readonly client: EmbeddedClient };

/** The runtime's state: running, or off with the reason and the next step. */
export type RuntimeLink =
  | ActiveLink
  | { readonly kind: 'off'; readonly runtime: RuntimeName; readonly reason: RuntimeError };

/** The connection of a host to its runtime. It is made on first use and then kept. */
export interface RuntimeConnection extends AsyncDisposable {
  /** The host's runtime. It is chosen at the first call and then kept, also where the runtime stops. */
  choice(signal: AbortSignal): Promise<RuntimeChoice>;
  /**
   * The runtime, or why it is off. Where it is off, the next call tries to connect again.
   * @throws LMStudioError of every code except `UNREACHABLE`; HostError for a malformed address
   */
  link(signal: AbortSignal): Promise<RuntimeLink>;
  /**
   * The connected runtime. @throws as `link`, and LMStudioError `UNREACHABLE` or LlamaRuntimeError `ENGINE_MISSING`
   * where the runtime is off
   */
  active(signal: AbortSignal): Promise<ActiveLink>;
  /** The client of `active`. */
  client(signal: AbortSignal): Promise<RuntimeClient>;
  /** Forgets a connection that was lost, so that the next call connects again. */
  forget(client: RuntimeClient): void;
}

/**
 * Creates the object without connecting.
 *
 * @param models - lists the models that the embedded engine can load
 */
export function createRuntimeConnection(
  context: HostContext,
  models: ListModels,
): RuntimeConnection {
  let chosen: Promise<RuntimeChoice> | null = null;
  let current: ActiveLink | null = null;
  let connecting: Promise<RuntimeLink> | null = null;
  const opened = new Set<RuntimeClient>();

  const warnOfLoad = (load: UnconfirmedLoad): void => {
    const { modelKey, instanceIdentifier } = load;
    context.onUnconfirmedLoad(load);
    context.warn(
      `LM Studio has not confirmed that it stopped loading ${modelKey}. It may still appear as ${instanceIdentifier}. \`mai status\` shows it; \`mai unload ${instanceIdentifier}\` removes it.`,
    );
  };
  const choice = (): Promise<RuntimeChoice> =>
    (chosen ??= chooseRuntime(context).then(
      (found) => {
        if (found.because === 'no-engine') context.warn(NO_ENGINE);
        return found;
      },
      (error: unknown) => {
        // The next call tries again.
        chosen = null;
        throw error;
      },
    ));
  const open = async (): Promise<RuntimeLink> => {
    const { runtime } = await choice();
    const link =
      runtime === 'lmstudio'
        ? await connectLMStudio(context)
        : await startEmbedded(context, models);
    if (link.kind === 'on') {
      current = link;
      opened.add(link.client);
    }
    return link;
  };
  const link = async (signal: AbortSignal): Promise<RuntimeLink> => {
    if (current !== null) return current;
    connecting ??= open().finally(() => (connecting = null));
    // Callers share one attempt to connect. Each caller stops waiting when its own signal fires.
    return orAborted(connecting, signal);
  };
  const active = async (signal: AbortSignal): Promise<ActiveLink> => {
    const found = await link(signal);
    if (found.kind === 'off') throw found.reason;
    return found;
  };
  return {
    choice: (signal) => orAborted(choice(), signal),
    link,
    active,
    client: async (signal) => (await active(signal)).client,
    forget: (client) => {
      if (current?.client === client) current = null;
    },
    [Symbol.asyncDispose]: async () => {
      await connecting?.catch(() => undefined);
      // Also closes forgotten connections, because calls may still have used them.
      await endAll([...opened].map((client) => () => client.close())).finally(() => {
        for (const client of opened) client.unconfirmedLoads().forEach(warnOfLoad);
      });
    },
  };
}

const NO_ENGINE = `LM Studio does not run, and the embedded engine is not installed: its package @fugood/node-llama-${process.platform}-${process.arch} is missing. So nothing can be loaded.`;

/** Connects. LM Studio counts as off only where the error is `UNREACHABLE`. */
async function connectLMStudio(context: HostContext): Promise<RuntimeLink> {
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
    return { kind: 'on', runtime: 'lmstudio', client };
  } catch (error) {
    if (isLMStudioError(error) && error.code === 'UNREACHABLE') {
      return { kind: 'off', runtime: 'lmstudio', reason: error };
    }
    // The adapter throws a TypeError for a malformed address.
    if (error instanceof TypeError && url !== null) {
      throw new HostError('INVALID_REQUEST', error.message, { cause: error });
    }
    throw error;
  }
}

/** The folder in which the embedded engine registers its processes. */
export function engineRegistry({ data }: Pick<HostFolders, 'data'>): string {
  return path.join(data, 'engines');
}

/** Opens the embedded engine without loading a model. It is off where its native module is not installed. */
async function startEmbedded(context: HostContext, models: ListModels): Promise<RuntimeLink> {
  const { createLlamaRuntime } = await import('@mai/llama-runtime');
  try {
    const client = await createLlamaRuntime({
      models,
      stateFolder: engineRegistry(context.folders),
      signal: context.signal,
    });
    return { kind: 'on', runtime: 'embedded', client };
  } catch (error) {
    if (isRuntimeError(error) && error.code === 'ENGINE_MISSING') {
      return { kind: 'off', runtime: 'embedded', reason: error };
    }
    throw error;
  }
}
