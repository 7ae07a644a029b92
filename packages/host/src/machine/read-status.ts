import { isGpuShare, type Resources } from '@mai/memory-ledger';
import type { RuntimeInstance } from '@mai/autopilot';
import { assembleSelectionInput } from '@mai/autopilot';
import { toSelectionPolicy } from '@mai/model-config';
import type { ResourceMonitor, ResourceSnapshot, Trend } from '@mai/resource-monitor';
import type { PoolOutcome, Resident } from '@mai/selector';
import { selectModel } from '@mai/selector';
import type { RuntimeName } from '../runtime/runtime-client.js';
import { isRuntimeError, isUnreachable } from '../runtime/runtime-error.js';
import type { Session } from '../session/session.js';

/** The runtime that loads the models, and whether it runs. */
export type RuntimeStatus =
  | {
      readonly name: RuntimeName;
      readonly state: 'running';
      /** Address of LM Studio; null for the embedded engine, whose processes each have their own. */
      readonly baseUrl: string | null;
      /** Version of LM Studio, or of the embedded engine's native module. */
      readonly version: string;
      readonly isLocal: boolean;
    }
  | {
      readonly name: RuntimeName;
      /** `failing`: it runs, but does not list the loaded models. */
      readonly state: 'off' | 'failing';
      readonly message: string;
    };

/** The trend of a pool's use. */
export interface PoolTrend {
  readonly pool: PoolOutcome['pool'];
  readonly trend: Trend;
}

/** One reading of the machine, the runtime and the loaded models. */
export interface StatusReport {
  readonly runtime: RuntimeStatus;
  readonly resources: Resources;
  /**
   * The full reading of this machine; null where LM Studio runs on another machine, or the host's
   * options replace the monitor.
   */
  readonly snapshot: ResourceSnapshot | null;
  /** The trend of each pool. Pools with too few readings for a trend are left out. */
  readonly trends: readonly PoolTrend[];
  readonly pools: readonly PoolOutcome[];
  readonly residents: readonly (RuntimeInstance &
    Pick<Resident, 'footprint' | 'busy' | 'foreign'> & {
      /**
       * Whether the model needs more than a GPU has. LM Studio has then divided it between GPU and RAM, and the
       * shares are a guess.
       */
      readonly exceedsGpus: boolean;
    })[];
  /** Residents on other machines of LM Link. They take no memory on this machine. */
  readonly elsewhere: readonly RuntimeInstance[];
  readonly config: { readonly source: string; readonly file: string | null };
}

/** Reads the machine and the loaded models. A runtime that gives no list is reported as off or failing. */
export async function readStatus(session: Session): Promise<StatusReport> {
  const { link, ports, config, parts } = session;
  const { own } = parts.monitor;
  const { signal } = session.context;
  const policy = toSelectionPolicy(config.config.switching);
  let snapshot: ResourceSnapshot | null = null;
  let instances: readonly RuntimeInstance[] = [];
  const name = link.runtime;
  let runtime: RuntimeStatus =
    link.kind === 'off'
      ? { name, state: 'off', message: link.reason.message }
      : {
          name,
          state: 'running',
          baseUrl: link.runtime === 'lmstudio' ? link.client.baseUrl : null,
          version: link.client.connectedVersion.version,
          isLocal: link.client.host.isLocal,
        };
  const reading = { chain: [], policy, variants: {}, capability: null, whyEmpty: null };
  const input = await assembleSelectionInput(
    {
      ...ports,
      catalog: { read: () => Promise.resolve(reading) },
      monitor: {
        ...ports.monitor,
        snapshot: async (options) =>
          own === null ? ports.monitor.snapshot(options) : (snapshot = await own.snapshot(options)),
      },
      runtime: {
        ...ports.runtime,
        listResidents: async (options) => {
          try {
            instances = await ports.runtime.listResidents(options);
          } catch (error) {
            if (!isRuntimeError(error)) throw error;
            const state = isUnreachable(error) ? 'off' : 'failing';
            runtime = { name, state, message: error.message };
          }
          return instances;
        },
      },
    },
    {},
    { signal },
  );
  const here = new Map(input.residents.map((one) => [one.instanceIdentifier, one]));
  // Without candidates, the decision plans no change, so its pools show the present use.
  const { pools } = selectModel({ ...input, candidates: [] });
  return {
    runtime,
    resources: input.resources,
    snapshot,
    trends: own === null ? [] : pools.flatMap((pool) => trendOf(own, pool)),
    pools,
    residents: instances.flatMap((instance) => {
      const resident = here.get(instance.instanceIdentifier);
      if (resident === undefined) return [];
      const { footprint, busy, foreign } = resident;
      return {
        ...instance,
        footprint,
        busy,
        foreign,
        exceedsGpus: footprint?.exceedsGpus === true,
      };
    }),
    elsewhere: instances.filter(({ instanceIdentifier }) => !here.has(instanceIdentifier)),
    config: { source: config.source.kind, file: config.source.file },
  };
}

function trendOf(
  machine: ResourceMonitor,
  { pool, limitRatio }: PoolOutcome,
): readonly PoolTrend[] {
  // Shared GPU memory is part of RAM, so the monitor keeps no separate readings of it.
  if (isGpuShare(pool)) return [];
  const trend = machine.trend({ series: pool, limitRatio });
  return trend.direction === 'unknown' ? [] : [{ pool, trend }];
}
