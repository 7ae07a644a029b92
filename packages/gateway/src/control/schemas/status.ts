import { z } from 'zod';
import { component } from './shared/component.js';
import {
  bytes,
  count,
  durationMs,
  epochMs,
  footprint,
  loadConfig,
  pool,
  poolBytes,
} from './shared/memory.js';

export const pin = component(
  'Pin',
  z
    .strictObject({
      target: z.string().describe('An instance identifier or a model key.'),
      reason: z.enum(['pin', 'load']).describe('`load`: set by a load by hand.'),
      sinceMs: epochMs,
    })
    .describe('Keeps a model from being unloaded.'),
);

export const memoryYield = component(
  'Yield',
  z
    .strictObject({
      name: z.string(),
      bytes,
      pools: z.enum(['ram', 'gpu', 'all']),
      sinceMs: epochMs,
      untilMs: epochMs.nullable().describe('Null: until the yield is ended.'),
      processId: z.int().nullable().describe('The yield ends when this process ends.'),
    })
    .describe('Memory that is kept free for another program.'),
);

export const resident = component(
  'Resident',
  z
    .strictObject({
      instanceIdentifier: z.string(),
      modelKey: z.string(),
      contextLengthTokens: z.int().nullable(),
      loadConfig,
      sizeBytes: bytes.describe('Size on disk.'),
      footprint: footprint.nullable().describe('Expected memory; null where it is not known.'),
      measuredRamBytes: bytes
        .nullable()
        .describe('Anonymous RAM of its engine as measured; null where it was not measured.'),
      pools: z.array(poolBytes).describe('The bytes that it takes of each pool.'),
      busy: z.boolean(),
      queued: count.nullable(),
      foreign: z.boolean().describe('Whether somebody other than Mai loaded it.'),
      pinned: z.boolean(),
      leased: z.boolean(),
      lastUsedAtMs: epochMs.nullable(),
      ttlMs: durationMs.nullable(),
      exceedsGpus: z
        .boolean()
        .describe('Whether it needs more than a GPU has, so that its shares in pools are a guess.'),
    })
    .describe('A loaded copy of a model.'),
);

const runtimeName = z.enum(['lmstudio', 'embedded']).describe('What loads the models.');

export const status = component(
  'Status',
  z
    .strictObject({
      atMs: epochMs,
      gateway: z.strictObject({ startedAtMs: epochMs }),
      runtime: z.discriminatedUnion('state', [
        z.strictObject({
          name: runtimeName,
          state: z.literal('running'),
          baseUrl: z.string().nullable().describe('Null for the embedded engine.'),
          version: z.string(),
          isLocal: z.boolean().describe('Whether it runs on this machine.'),
        }),
        z.strictObject({
          name: runtimeName,
          state: z
            .enum(['off', 'failing'])
            .describe('`failing`: it runs, but does not list the loaded models.'),
          message: z.string(),
        }),
      ]),
      autopilot: z
        .strictObject({
          status: z.enum(['stopped', 'running', 'switching', 'stopping']),
          fault: z.string().nullable().describe('The error of the last round; null without one.'),
          putOffUntilMs: epochMs.nullable(),
          breakerOpenUntilMs: epochMs
            .nullable()
            .describe('After many failures, no load is tried before this moment.'),
          idle: z.boolean(),
          waiting: count.describe('How many callers wait for a lease.'),
          leased: z.array(z.string()),
        })
        .nullable()
        .describe('Null where no autopilot runs.'),
      pools: z.array(pool),
      residents: z.array(resident),
      elsewhere: z
        .array(z.strictObject({ instanceIdentifier: z.string(), modelKey: z.string() }))
        .describe('Residents on other machines of LM Link.'),
      cpu: z.strictObject({
        utilizationRatio: z.number().nullable(),
        othersRatio: z.number().nullable(),
      }),
      gpus: z.array(
        z.strictObject({
          deviceKey: z.string(),
          name: z.string().nullable(),
          vendor: z.string().nullable(),
          memory: z.enum(['dedicated', 'shared']),
          totalBytes: bytes.nullable(),
          availableBytes: bytes.nullable(),
        }),
      ),
      observable: z.boolean().describe('False: the runtime is on another machine.'),
      pins: z.array(pin),
      yields: z.array(memoryYield),
      config: z.strictObject({ source: z.string(), file: z.string().nullable() }),
    })
    .describe('One reading of the machine, the runtime and the residents.'),
);
