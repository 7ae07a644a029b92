import type { AutopilotPorts } from '@mai/autopilot';
import type { EngineReport } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import type { OnFootprint } from '../footprints/footprints.js';
import { openGivenContexts } from '../runtime/given-contexts.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { once } from '../promises/once.js';
import type { Catalog } from '../catalog/catalog.js';
import { createCatalog, profileNamed } from '../catalog/catalog.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { composePorts } from '../runtime/compose-ports.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { isUnreachable } from '../runtime/runtime-error.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';

/** The runtime and configuration of one call of a host. They do not change during the call. */
export interface Session {
  /** The host's context with the call's signal. */
  readonly context: HostContext;
  readonly parts: HostParts;
  readonly link: RuntimeLink;
  readonly config: LoadedModelConfig;
  readonly ports: AutopilotPorts;
  /** The downloaded models; listed on first use. */
  readonly downloads: () => Promise<Downloads>;
  /** The configuration joined with the downloaded models. */
  readonly catalog: () => Promise<Catalog>;
}

/** Options of a session. */
export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether measured loads correct the estimates. Default true. `measure` sets false, because it
   * compares the new measurement with the estimate before correction.
   */
  readonly corrected?: boolean;
  /** The reports of LM Studio's engines so far. Default: no report. */
  readonly engineReports?: () => readonly EngineReport[];
  /** Called with each footprint that the session's ports have estimated, and its sources. */
  readonly onFootprint?: OnFootprint;
}

/**
 * Runs `use`, whether LM Studio is running or off. If LM Studio stops meanwhile, runs `use` a
 * second time with a session in which LM Studio is off.
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
    if (link.kind === 'off' || !isUnreachable(error)) throw error;
    parts.runtime.forget(link.client);
    return use(
      await openSession(parts, options, { kind: 'off', runtime: link.runtime, reason: error }),
    );
  }
}

/** A session for calls that need LM Studio. @throws LMStudioError `UNREACHABLE` where LM Studio is off */
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
  { signal, corrected = true, engineReports = () => [], onFootprint }: SessionOptions,
  given: RuntimeLink | null = null,
): Promise<Session> {
  const context = contextOfCall(parts.context, signal);
  const config = await loadConfig(context);
  const link = given ?? (await parts.runtime.link(context.signal));
  const { monitor } = parts;
  await monitor.inform(link, context.signal);
  const downloads = once(async () => {
    const { listDownloads, headers } = await parts.estimation();
    return listDownloads(link, context, headers);
  });
  const contexts = openGivenContexts(context, link);
  const catalog = once(async () => {
    const { judgeQuality } = await parts.estimation();
    return createCatalog(config.config, await downloads(), judgeQuality);
  });
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
      contexts,
      onLoaded: async (...load) => (await parts.learner()).loaded(...load),
      catalog: () => ({ read: async (options) => (await catalog()).port.read(options) }),
      estimator: (residents) => {
        const estimator = once(async () => {
          const { createFootprints, openCalibration, headers, judgeQuality } =
            await parts.estimation();
          const calibration = corrected ? openCalibration(context, link) : null;
          const speeds = await speedsOfRuntime(parts, link);
          return createFootprints(
            {
              downloads: await downloads(),
              headers,
              calibration,
              contexts,
              engineReports,
              lockedAsMapped: !corrected,
              speeds,
              judgeQuality,
              profileOf: async (modelKey) => profileNamed(await catalog(), modelKey),
            },
            residents,
            onFootprint,
          );
        });
        return {
          estimate: async (question, options) => (await estimator()).estimate(question, options),
        };
      },
    }),
  };
}

/** The context of a host, which the signal of one call also cancels. */
export function contextOfCall(context: HostContext, signal: AbortSignal | undefined): HostContext {
  if (signal === undefined) return context;
  return { ...context, signal: AbortSignal.any([context.signal, signal]) };
}

/** Lists the downloaded models, for calls that need no configuration. */
export async function listDownloadsNow(
  parts: HostParts,
  signal: AbortSignal | undefined,
): Promise<Downloads> {
  const context = contextOfCall(parts.context, signal);
  const link = await parts.runtime.link(context.signal);
  const { listDownloads, headers } = await parts.estimation();
  return listDownloads(link, context, headers);
}
