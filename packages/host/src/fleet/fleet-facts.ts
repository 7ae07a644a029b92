import { assembleSelectionInput, isForeign, type RuntimeInstance } from '@mai/autopilot';
import {
  statedCapabilities,
  totalBytesOf,
  type Capability,
  type LoadSpeed,
  type PoolName,
  type Tier,
} from '@mai/memory-ledger';
import type { AssembledInput } from '@mai/autopilot';
import type { FleetConfig } from '@mai/model-config';
import { selectModel, type LoadOption } from '@mai/selector';
import { readReservationsOrWarn, type Reservations } from '../session/read-reservations.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { chainKeys, type CatalogProfile } from '../catalog/catalog.js';
import type { Session } from '../session/session.js';
import type { ContentDigests } from './content-digest.js';

/** The facts that this machine reports to its fleet. `OwnFacts` of `@mai/fleet` has the same shape. */
export interface FleetFacts {
  readonly versions: { readonly runtime: string | null; readonly runtimeVersion: string | null };
  readonly pools: readonly {
    readonly pool: PoolName;
    readonly totalBytes: number;
    readonly limitBytes: number;
  }[];
  /** Share of its limit that the fullest pool uses, 0 to 1; null where no pool is known. */
  readonly pressureRatio: number | null;
  /** The downloaded models. */
  readonly models: readonly FleetModel[];
  /** Model keys in order of preference, by the name of the fallback chain. Only downloaded models. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** Devices of LM Link with their loaded models. Their memory is not known. */
  readonly linkDevices: readonly {
    readonly deviceIdentifier: string;
    readonly models: readonly FleetModel[];
  }[];
  /** The section `fleet` of the configuration, and the speed that models should reach. */
  readonly fleet: FleetConfig & { readonly minTokensPerSecond: number };
}

/** One model, on disk or loaded. Null: not known. */
export interface FleetModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly kind: 'llm' | 'embedding';
  /** See `ContentDigests`. */
  readonly digest: string | null;
  readonly tier: Tier;
  readonly capabilities: readonly Capability[];
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  readonly sizeBytes: number | null;
  /** Whether a load fits now, or once idle models that Mai loaded are unloaded. */
  readonly fit: 'now' | 'after-eviction' | 'no' | null;
  /**
   * Speed of the load that fits, or of the load as configured where none fits. Null where the model's file cannot be read on this
   * machine, and where its GPU is not known and no answer was measured with it.
   */
  readonly speed: LoadSpeed | null;
  /** 0 to 1. */
  readonly quality: number | null;
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly contextLengthTokens: number | null;
    readonly footprintBytes: number | null;
    readonly foreign: boolean;
    readonly parallel: number;
  }[];
}

/** Reads the facts: lists the residents and the downloads once, and judges each downloaded model alone. */
export async function readFleetFacts(
  session: Session,
  digests: ContentDigests,
): Promise<FleetFacts> {
  const { link, config } = session;
  const [downloads, { profiles }] = await Promise.all([session.downloads(), session.catalog()]);
  const here = profiles.filter(({ downloaded }) => downloaded);
  const reservations = await readReservationsOrWarn(session);
  const first = await assemble(session, here, reservations, false);
  const rejected = here.filter(({ modelKey }) => judge(modelKey, first.input).fit === 'no');
  // Each cheaper load option needs an estimate of its own, so only rejected models are tried again.
  const second =
    rejected.length === 0 ? null : await assemble(session, rejected, reservations, true);
  const sizes = new Map(downloads.models.map((one) => [one.modelKey, one]));
  const { pools } = selectModel({ ...first.input, candidates: [] });
  const models = await Promise.all(
    here.map(async (profile): Promise<FleetModel> => {
      const { modelKey, displayName, tier, capabilities } = profile;
      const model = sizes.get(modelKey);
      const found = await downloads.find(modelKey);
      const configured = judge(modelKey, first.input);
      const { fit, option } =
        configured.fit === 'no' && second !== null ? judge(modelKey, second.input) : configured;
      return {
        modelKey,
        displayName,
        tier,
        capabilities,
        kind: model?.kind ?? (capabilities.includes('embedding') ? 'embedding' : 'llm'),
        digest: found?.files == null ? null : await digests.digestOf(found.files.files),
        contextLengthTokens: profile.contextLengthTokens,
        maxContextLengthTokens: profile.maxContextLengthTokens,
        sizeBytes: (model?.sizeBytes ?? 0) || null,
        fit,
        speed: option?.speed ?? null,
        quality: option?.quality ?? null,
        residents: first.input.residents
          .filter((one) => one.modelKey === modelKey)
          .map(({ instanceIdentifier, loadConfig, footprint, foreign }) => ({
            instanceIdentifier,
            foreign,
            contextLengthTokens: loadConfig.contextLengthTokens,
            footprintBytes: footprint === null ? null : totalBytesOf(footprint),
            // A runtime that does not report a number answers at least one request.
            parallel: loadConfig.parallelSequences ?? 1,
          })),
      };
    }),
  );
  const names = ['default', ...Object.keys(config.config.fallbackChains)];
  const keys = new Set(here.map(({ modelKey }) => modelKey));
  const keysOf = (name: string): readonly string[] =>
    chainKeys(config.config, name, profiles).filter((key) => keys.has(key));
  const ratios = pools.map(({ useBeforeBytes, limitBytes }) =>
    limitBytes > 0 ? useBeforeBytes / limitBytes : 1,
  );
  return {
    versions: {
      runtime: link.kind === 'on' ? link.runtime : null,
      runtimeVersion: link.kind === 'on' ? link.client.connectedVersion.version : null,
    },
    pools: pools.map(({ pool, totalBytes, limitBytes }) => ({
      pool,
      totalBytes,
      // Below 0 where the minimum headroom is larger than the pool.
      limitBytes: Math.max(0, limitBytes),
    })),
    pressureRatio: ratios.length === 0 ? null : Math.min(1, Math.max(0, ...ratios)),
    models,
    chains: Object.fromEntries([...new Set(names)].map((name) => [name, keysOf(name)])),
    linkDevices: devicesIn(first.elsewhere, downloads.linked),
    fleet: {
      ...config.config.fleet,
      minTokensPerSecond: config.config.switching.minTokensPerSecond,
    },
  };
}

interface Assembled {
  readonly input: AssembledInput;
  /** Residents on devices of LM Link. */
  readonly elsewhere: readonly RuntimeInstance[];
}

async function assemble(
  { ports, catalog, context }: Session,
  profiles: readonly CatalogProfile[],
  { pinned, yields }: Reservations,
  tradeOffs: boolean,
): Promise<Assembled> {
  const { portOf } = await catalog();
  let instances: readonly RuntimeInstance[] = [];
  const input = await assembleSelectionInput(
    {
      ...ports,
      catalog: portOf(profiles),
      runtime: {
        ...ports.runtime,
        listResidents: async (options) => (instances = await ports.runtime.listResidents(options)),
      },
    },
    { tradeOffs, pinned },
    { signal: context.signal, yields },
  );
  return { input, elsewhere: instances.filter((one) => one.deviceIdentifier !== null) };
}

/** A model as it is reported to the fleet. */
interface Judgement {
  /** Whether a load fits beside the residents, or once some of them are unloaded. */
  readonly fit: FleetModel['fit'];
  /** The load that fits, or the load as configured where none fits. Its speed is what a guest gets. */
  readonly option: LoadOption | null;
}

function judge(modelKey: string, input: AssembledInput): Judgement {
  const candidate = input.candidates.find((one) => one.modelKey === modelKey);
  const configured = candidate?.loadOptions[0] ?? null;
  if (candidate === undefined || candidate.loadOptions.every((one) => one.footprint === null)) {
    return { fit: null, option: configured };
  }
  const retained = input.residents.map(({ instanceIdentifier }) => instanceIdentifier);
  const { chosen, plan } = selectModel({ ...input, candidates: [candidate], retained });
  if (chosen === null) return { fit: 'no', option: configured };
  const evicts = plan.steps.some(({ action }) => action === 'unload');
  return { fit: evicts ? 'after-eviction' : 'now', option: chosen.loadOption };
}

/** The devices with loaded models. The tier of their models is not known, so medium is assumed. */
function devicesIn(
  instances: readonly RuntimeInstance[],
  linked: Downloads['linked'],
): FleetFacts['linkDevices'] {
  const identifiers = new Set(instances.map(({ deviceIdentifier }) => deviceIdentifier ?? ''));
  return [...identifiers].map((deviceIdentifier) => ({
    deviceIdentifier,
    models: instances
      .filter((one) => one.deviceIdentifier === deviceIdentifier)
      .map((one) => {
        const model = linked.find(({ modelKey }) => modelKey === one.modelKey);
        return {
          modelKey: one.modelKey,
          displayName: model?.displayName ?? one.modelKey,
          kind: model?.kind ?? 'llm',
          digest: null,
          tier: 'medium' as const,
          fit: null,
          speed: null,
          quality: null,
          capabilities: model === undefined ? ['chat'] : statedCapabilities(model),
          contextLengthTokens: one.contextLengthTokens,
          maxContextLengthTokens: one.maxContextLengthTokens,
          sizeBytes: one.sizeBytes || null,
          residents: [
            {
              instanceIdentifier: one.instanceIdentifier,
              contextLengthTokens: one.contextLengthTokens,
              footprintBytes: null,
              foreign: isForeign(one),
              parallel: one.loadConfig.parallelSequences ?? 1,
            },
          ],
        };
      }),
  }));
}
