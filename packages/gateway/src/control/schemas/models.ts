import { z } from 'zod';
import { component } from './shared/component.js';
import {
  bytes,
  capability,
  footprint,
  loadConfig,
  poolChange,
  rejection,
  tier,
} from './shared/memory.js';
import { modelSpeed, quality } from './shared/speed.js';
import { textOf } from './shared/text.js';

export const modelsQuery = z.strictObject({
  chain: textOf(200).optional().describe('Name of a fallback chain. Default: `default`.'),
});

const cheaper = z
  .strictObject({
    loadConfig,
    footprint,
    tradeOffs: z
      .string()
      .describe('The trade-offs in words, as a phrase that follows "fits with".'),
  })
  .describe('A load with trade-offs that fits where the configured one does not.');

export const model = component(
  'Model',
  z
    .strictObject({
      modelKey: z.string(),
      displayName: z.string(),
      tier,
      capabilities: z.array(capability),
      downloaded: z.boolean(),
      loaded: z.boolean(),
      sizeBytes: bytes.nullable().describe('Size on disk.'),
      contextLengthTokens: z.int().describe('Context length of a load as configured.'),
      maxContextLengthTokens: z.int().nullable(),
      loadConfig,
      footprint: footprint.nullable().describe('Memory as configured; null where it is not known.'),
      fits: z
        .boolean()
        .describe('Whether it fits as configured, as the only model that Mai loads.'),
      rejection: rejection.nullable().describe('Why it does not fit; null where it fits.'),
      cheaper: cheaper.nullable(),
      speed: modelSpeed
        .nullable()
        .describe('Of the load as configured, or of `cheaper` where only that fits.'),
      quality,
    })
    .describe('A downloaded or configured model.'),
);

const chainStep = component(
  'ChainStep',
  z
    .strictObject({
      modelKey: z.string(),
      displayName: z.string(),
      tier,
      capabilities: z.array(z.string()),
      downloaded: z.boolean(),
      loaded: z.boolean(),
      verdict: z
        .enum(['chosen', 'fits', 'rejected'])
        .describe('`fits`: it would fit, and a model that comes before it was chosen.'),
      rejection: rejection.nullable().describe('Null for the chosen model.'),
      loadConfig: loadConfig.nullable().describe('The load that was judged; null without one.'),
      footprint: footprint.nullable(),
      tradeOffs: z.string().nullable().describe('The trade-offs of this load; null without any.'),
      speed: modelSpeed.nullable().describe('Of this load; null where it is not known.'),
      quality,
    })
    .describe('One model of a fallback chain, as judged now.'),
);

export const models = component(
  'Models',
  z.strictObject({
    chain: z.strictObject({
      name: z.string(),
      names: z.array(z.string()).describe('The names of all chains.'),
      decision: z
        .enum(['keep', 'load', 'switch', 'release', 'wait', 'none'])
        .describe('The decision if it were made now.'),
      steps: z.array(chainStep).describe('In order of preference.'),
      pools: z.array(poolChange),
      obstacle: z.string().nullable().describe('The next step where no model was chosen.'),
      obstacleKind: z
        .string()
        .nullable()
        .describe('Why no model was chosen, such as `nothing-downloaded`; null where one was.'),
    }),
    models: z.array(model),
    downloadedCount: z.int(),
    unusable: z
      .array(z.strictObject({ modelKey: z.string(), reason: z.string() }))
      .describe('Downloaded files that cannot be loaded.'),
  }),
);
