import type { FleetHost, FleetModel } from '../../ports/fleet-port.js';
import { speedView } from '../views/speed-view.js';
import type { AnswerOf, HandlerParts } from './handlers.js';

type FleetAnswer = Extract<AnswerOf<'fleet'>, { readonly state: 'member' }>;
type HostAnswer = FleetAnswer['hosts'][number];

/** A page cannot show more. */
const HOSTS_MAX = 200;
const FITS_MAX = 40;

/** Answers `fleet`. */
export function readFleet({ fleet }: HandlerParts): AnswerOf<'fleet'> {
  if (fleet === null) return { state: 'none' };
  const { ownHost, natsServers, connected, fault, hosts, placements } = fleet.report();
  return {
    state: 'member',
    ownHost,
    natsServers: [...natsServers],
    connected,
    fault,
    hostCount: hosts.length,
    hosts: hosts.slice(0, HOSTS_MAX).map((one) => hostView(one, ownHost)),
    placements: placements.map(({ id, atMs, host, modelKey, sentences }) => ({
      id,
      atMs,
      host,
      modelKey,
      sentences: sentences.map(({ text, items }) => ({ text, items: [...items] })),
    })),
  };
}

function hostView({ kind, condition, silentMs, state, heartbeat }: FleetHost, ownHost: string) {
  const { host, address, versions, labels, pools, models, guests } = state;
  const { mai, runtime, runtimeVersion } = versions;
  return {
    host,
    own: host === ownHost,
    kind,
    condition,
    silentMs,
    address,
    versions: { mai: mai === '' ? null : mai, runtime, runtimeVersion },
    labels: Object.entries(labels).map(([name, value]) => ({ name, value })),
    load:
      heartbeat === null
        ? null
        : {
            running: heartbeat.running,
            waiting: heartbeat.queued,
            pressureRatio: heartbeat.pressureRatio,
          },
    pools: pools.map(({ pool, totalBytes, limitBytes }) => ({
      pool,
      label: labelOf(pool, pools),
      totalBytes,
      limitBytes,
    })),
    residents: models.flatMap((model) => residentViews(model, heartbeat)),
    fits: models.flatMap(fitView).slice(0, FITS_MAX),
    modelCount: models.length,
    guestRatio: guests?.memoryRatio ?? null,
  } satisfies HostAnswer;
}

function residentViews(
  { modelKey, speed, quality, residents }: FleetModel,
  heartbeat: FleetHost['heartbeat'],
): HostAnswer['residents'] {
  return residents.map((one) => ({
    instanceIdentifier: one.instanceIdentifier,
    modelKey,
    contextLengthTokens: one.contextLengthTokens,
    footprintBytes: one.footprintBytes,
    foreign: one.foreign,
    parallel: one.parallel,
    requests: heartbeat === null ? null : (heartbeat.residents[one.instanceIdentifier] ?? 0),
    speed: speedView(speed),
    quality,
  }));
}

function fitView({ residents, ...model }: FleetModel): HostAnswer['fits'] {
  const { modelKey, tier, sizeBytes, fit, speed, quality } = model;
  if (residents.length > 0 || (fit !== 'now' && fit !== 'after-eviction')) return [];
  return [{ modelKey, tier, sizeBytes, fit, speed: speedView(speed), quality }];
}

/** The name of a pool. Whether RAM is also the GPU's memory is not known of another machine. */
function labelOf(pool: string, pools: FleetHost['state']['pools']): string {
  if (pool === 'ram') return 'RAM';
  const kind = pool.startsWith('gpu-share:') ? 'gpu-share:' : 'gpu:';
  const alike = pools.filter((one) => one.pool.startsWith(kind));
  const label = kind === 'gpu:' ? 'VRAM' : 'GPU cap';
  const index = alike.findIndex((one) => one.pool === pool);
  return alike.length > 1 ? `${label} ${index + 1}` : label;
}
