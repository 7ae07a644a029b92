import { discover } from '@mai/lmstudio-adapter';
import { isModelConfigError } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import type { HostContext } from '../host-options.js';
import type { RuntimeName } from './runtime-client.js';

/** The runtime of a host, and why it was chosen. */
export interface RuntimeChoice {
  readonly runtime: RuntimeName;
  readonly because:
    /** The host's option, or `--runtime`, names it. */
    | 'option'
    /** An address of LM Studio is given. */
    | 'address'
    /** The configuration names it. */
    | 'config'
    | 'lmstudio-runs'
    /** LM Studio does not run, and the embedded engine is installed. */
    | 'lmstudio-off'
    /** LM Studio does not run, and the embedded engine is not installed. */
    | 'no-engine';
}

/**
 * Chooses the runtime. The first that applies: the host's option, LM Studio where its address is given, the
 * configuration, LM Studio where it runs, the embedded engine where it is installed, LM Studio.
 */
export async function chooseRuntime(context: HostContext): Promise<RuntimeChoice> {
  const { runtime, url, userHome, env, signal } = context;
  if (runtime !== null) return { runtime, because: 'option' };
  if (url !== null) return { runtime: 'lmstudio', because: 'address' };
  const configured = await configuredRuntime(context);
  if (configured !== null) return { runtime: configured, because: 'config' };
  const { baseUrl } = await discover({ userHome, env, signal });
  if (baseUrl !== null) return { runtime: 'lmstudio', because: 'lmstudio-runs' };
  const { findEngine } = await import('@mai/llama-runtime');
  return (await findEngine()) === null
    ? { runtime: 'lmstudio', because: 'no-engine' }
    : { runtime: 'embedded', because: 'lmstudio-off' };
}

/** Null where the configuration names no runtime, or has faults, which the reader of the configuration reports. */
async function configuredRuntime(context: HostContext): Promise<RuntimeName | null> {
  try {
    return (await loadConfig(context)).config.runtime;
  } catch (error) {
    if (!isModelConfigError(error)) throw error;
    return null;
  }
}
