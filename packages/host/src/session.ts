import type { AutopilotPorts } from '@mai/autopilot';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import { loadConfig } from './config/load-config.js';
import type { HostContext } from './host-options.js';
import type { HostParts } from './host-parts.js';
import { once } from './host-parts.js';
import type { Catalog } from './models/catalog.js';
import { createCatalog } from './models/catalog.js';
import type { Downloads } from './models/downloads.js';
import { composePorts } from './runtime/compose-ports.js';
import type { RuntimeLink } from './runtime/connect-runtime.js';

/** What one call of a host works with: the same runtime and configuration from its start to its end. */
export interface Session {
  /** With the signal of the call. */
  readonly context: HostContext;
  readonly parts: HostParts;
  readonly link: RuntimeLink;
  readonly config: LoadedModelConfig;
  readonly ports: AutopilotPorts;
  /** What is downloaded; listed when it is first asked for. */
  readonly downloads: () => Promise<Downloads>;
  /** The configuration joined with what is downloaded. */
  readonly catalog: () => Promise<Catalog>;
}

/** How a session is opened. */
export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether measurements correct the estimates; default true. A measurement sets it to false: it must not
   * learn from itself.
   */
  readonly corrected?: boolean;
}

/**
 * Runs `use` with LM Studio as it is found. Where LM Studio goes away meanwhile, runs it again as with an LM
 * Studio that is off.
 */
export async function withSession<Result>(
  parts: HostParts,
  options: SessionOptions,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(parts, options);
  try {
    return await use(session);
  } catch (error) {
    const { link } = session;
    if (link.kind === 'off' || !isLMStudioError(error) || error.code !== 'UNREACHABLE') throw error;
    parts.runtime.forget(link.client);
    return use(await openSession(parts, options, { kind: 'off', reason: error }));
  }
}

/** The same for what can't be done without LM Studio. @throws LMStudioError where it is off */
export async function openActiveSession(
  parts: HostParts,
  options: SessionOptions,
): Promise<Session> {
  const session = await openSession(parts, options);
  if (session.link.kind === 'off') throw session.link.reason;
  return session;
}

async function openSession(
  parts: HostParts,
  { signal, corrected = true }: SessionOptions,
  given: RuntimeLink | null = null,
): Promise<Session> {
  const context = contextOfCall(parts.context, signal);
  const config = await loadConfig(context);
  const link = given ?? (await parts.runtime.link(context.signal));
  const { monitor } = parts;
  if (link.kind === 'on') await monitor.inform(link.client, context.signal);
  const downloads = once(async () => {
    const { listDownloads, headers } = await parts.estimation();
    return listDownloads(link, context, headers);
  });
  const catalog = once(async () => createCatalog(config.config, (await downloads()).models));
  return {
    context,
    parts,
    link,
    config,
    downloads,
    catalog,
    ports: composePorts({
      link,
      monitor: monitor.port,
      clock: context.clock,
      catalog: { read: async (options) => (await catalog()).port.read(options) },
      estimator: (anythingLoaded) => {
        const estimator = once(async () => {
          const { createFootprints, openCalibration, headers } = await parts.estimation();
          const calibration = corrected ? openCalibration(context, link) : null;
          return createFootprints(
            { downloads: await downloads(), headers, calibration },
            anythingLoaded,
          );
        });
        return {
          estimate: async (question, options) => (await estimator()).estimate(question, options),
        };
      },
    }),
  };
}

/** The context of a host with the signal of one call beside its own. */
export function contextOfCall(context: HostContext, signal: AbortSignal | undefined): HostContext {
  if (signal === undefined) return context;
  return { ...context, signal: AbortSignal.any([context.signal, signal]) };
}

/** Lists what is downloaded, for what needs no configuration. */
export async function listDownloadsNow(
  parts: HostParts,
  signal: AbortSignal | undefined,
): Promise<Downloads> {
  const context = contextOfCall(parts.context, signal);
  const link = await parts.runtime.link(context.signal);
  const { listDownloads, headers } = await parts.estimation();
  return listDownloads(link, context, headers);
}
