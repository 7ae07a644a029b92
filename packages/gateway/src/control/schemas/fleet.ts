import { z } from 'zod';
import { component } from './shared/component.js';
import { bytes, count, durationMs, epochMs, poolName, ratio, tier } from './shared/memory.js';
import { modelSpeed, quality } from './shared/speed.js';

const figures = { speed: modelSpeed.nullable(), quality };

const fleetResident = z.strictObject({
  instanceIdentifier: z.string(),
  modelKey: z.string(),
  contextLengthTokens: z.int().nullable(),
  footprintBytes: bytes.nullable().describe('Expected memory in all pools.'),
  foreign: z.boolean().describe('Whether somebody other than Mai loaded it.'),
  parallel: count.describe('Requests that it answers at the same time.'),
  requests: count
    .nullable()
    .describe('Requests that run or wait at it; null where the host does not report its load.'),
  ...figures,
});

const fleetFit = z.strictObject({
  modelKey: z.string(),
  tier,
  sizeBytes: bytes.nullable().describe('Size on disk.'),
  fit: z
    .enum(['now', 'after-eviction'])
    .describe('`after-eviction`: once idle models that Mai loaded are unloaded.'),
  ...figures,
});

export const fleetHost = component(
  'FleetHost',
  z
    .strictObject({
      host: z.string(),
      own: z.boolean().describe('Whether it is this machine.'),
      kind: z.enum(['mai', 'lm-link']).describe('`lm-link`: a device of LM Link without Mai.'),
      condition: z
        .enum([
          'ready',
          'serves-nobody',
          'stopping',
          'silent',
          'not-heard',
          'without-mai',
          'displaced',
        ])
        .describe(
          '`ready`: it gets requests. `serves-nobody`: it has no gateway for other hosts. `silent`: no new heartbeat has come for too long. `not-heard`: no heartbeat has come yet, and only its stored state is known. `displaced`: this machine, while another one serves under its name with a copy of its keys.',
        ),
      silentMs: durationMs
        .nullable()
        .describe(
          "Since something new was heard from it, by this machine's monotonic clock; null where nothing was.",
        ),
      address: z.string().nullable(),
      versions: z.strictObject({
        mai: z.string().nullable(),
        runtime: z.string().nullable(),
        runtimeVersion: z.string().nullable(),
      }),
      labels: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      load: z
        .strictObject({
          running: count.describe('Requests that are answered now.'),
          waiting: count,
          pressureRatio: ratio
            .nullable()
            .describe('Use of the fullest pool as a share of its limit.'),
        })
        .nullable()
        .describe('Null where the host did not report it.'),
      pools: z.array(
        z.strictObject({ pool: poolName, label: z.string(), totalBytes: bytes, limitBytes: bytes }),
      ),
      residents: z.array(fleetResident),
      fits: z.array(fleetFit).describe('Models that are not loaded and fit. At most 40.'),
      modelCount: count.describe('Its models, whether they fit or not.'),
      guestRatio: ratio
        .nullable()
        .describe(
          "Share of each pool's limit that models for other hosts may take; null where they may load nothing now.",
        ),
    })
    .describe('A machine of the fleet, as this machine knows it.'),
);

export const placement = component(
  'Placement',
  z
    .strictObject({
      id: z.string().describe('The value of the header `x-mai-placement`.'),
      atMs: epochMs,
      host: z.string().nullable().describe('The host that serves it; null where none does.'),
      modelKey: z.string().nullable(),
      sentences: z
        .array(z.strictObject({ text: z.string(), items: z.array(z.string()) }))
        .describe('Why there, with figures: sentences, and the list that a sentence introduces.'),
    })
    .describe('A request of this gateway, and the host that was chosen for it.'),
);

export const fleet = component(
  'Fleet',
  z
    .discriminatedUnion('state', [
      z.strictObject({ state: z.literal('none') }).describe('This gateway serves alone.'),
      z.strictObject({
        state: z.literal('member'),
        ownHost: z.string(),
        natsServers: z.array(z.string()),
        connected: z.boolean().describe('Whether NATS answered last.'),
        fault: z.string().nullable().describe('Why there is no connection to NATS.'),
        hostCount: count,
        hosts: z
          .array(fleetHost)
          .describe('This machine first, then by name, LM Link last. At most 200.'),
        placements: z.array(placement).describe('Newest first. At most 30.'),
      }),
    ])
    .describe('The machines that serve together with this one.'),
);
