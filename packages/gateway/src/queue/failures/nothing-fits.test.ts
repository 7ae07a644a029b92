import {
  ANY_MODEL,
  type ServingCatalog,
  type ServingModel,
  type ServingRequest,
} from '../../ports/serving-port.js';
import { nothingFits } from './nothing-fits.js';

type Runtime = ServingCatalog['runtime'];

function catalogOf(downloaded: boolean, runtime: Runtime = 'lmstudio'): ServingCatalog {
  const model: ServingModel = {
    modelKey: 'a',
    displayName: 'a',
    kind: 'llm' as const,
    tier: 'medium' as const,
    capabilities: ['chat'],
    contextLengthTokens: 4096,
    maxContextLengthTokens: 4096,
    sizeBytes: 1,
    downloaded,
    hosts: null,
    residents: [],
  };
  return {
    models: [model],
    chains: { default: ['a', 'b'], empty: [] },
    aliases: [],
    otherNames: {},
    leftOut: {},
    unreachableNote: null,
    hosts: null,
    runtime,
    runtimeAnswers: true,
    runtimeVersion: null,
    decisionId: null,
  };
}

/** `CODE`, or `CODE:capability,capability` with the capabilities that the model lacks. */
const rejected = (codes: Record<string, string>) =>
  Object.entries(codes).map(([modelKey, text]) => {
    const [code = '', missing] = text.split(':');
    return { modelKey, rejection: { code, missing: missing?.split(',') } };
  });

interface Case {
  readonly codes: Record<string, string>;
  readonly wanted?: Partial<ServingRequest>;
  readonly catalog?: ServingCatalog | null;
  readonly code: string;
  readonly status: number;
  readonly says: readonly string[];
}

const NOTE = 'The folder "models" does not exist. Mount its drive.';

const CASES: Record<string, Case> = {
  'nothing is downloaded': {
    codes: {},
    catalog: catalogOf(false),
    code: 'model_not_downloaded',
    status: 404,
    says: ['No model is downloaded.', 'lms get'],
  },
  'nothing is on the disk of the embedded engine': {
    codes: {},
    catalog: catalogOf(false, 'embedded'),
    code: 'model_not_downloaded',
    status: 404,
    says: ['GGUF', 'model_folders'],
  },
  'no model of the default chain is downloaded': {
    codes: { b: 'NOT_DOWNLOADED' },
    code: 'model_not_downloaded',
    status: 404,
    says: ['No model of the fallback chain is downloaded (b (NOT_DOWNLOADED))', 'lms get'],
  },
  'a chain has no downloaded model': {
    codes: {},
    wanted: { chain: 'empty' },
    code: 'model_not_downloaded',
    status: 404,
    says: ['No model of the fallback chain "empty" is downloaded.'],
  },
  'a folder of models is missing': {
    codes: { b: 'NOT_DOWNLOADED' },
    catalog: { ...catalogOf(false), unreachableNote: NOTE },
    code: 'models_not_listed',
    status: 503,
    says: [`No model that could serve this request was found. ${NOTE}`],
  },
  'a folder of models is missing, and other models are there': {
    codes: { b: 'NOT_DOWNLOADED' },
    wanted: { chain: 'empty' },
    catalog: { ...catalogOf(true), unreachableNote: NOTE },
    code: 'models_not_listed',
    status: 503,
    says: [NOTE],
  },
  'a folder of models is missing, and the others lack a capability': {
    codes: { a: 'MISSING_CAPABILITY', b: 'NOT_DOWNLOADED' },
    wanted: { capabilities: ['vision'] },
    catalog: { ...catalogOf(true), unreachableNote: NOTE },
    code: 'not_capable',
    status: 400,
    says: [`needs: vision. ${NOTE}`],
  },
  'no downloaded model has a capability': {
    codes: { a: 'MISSING_CAPABILITY', b: 'NOT_DOWNLOADED' },
    wanted: { capabilities: ['vision', 'tools'] },
    code: 'not_capable',
    status: 400,
    says: ['can do what this request needs: vision and tools.', 'Download a model'],
  },
  'no downloaded model has one of the capabilities': {
    codes: { a: 'MISSING_CAPABILITY:vision,tools', b: 'MISSING_CAPABILITY:vision' },
    wanted: { capabilities: ['chat', 'vision', 'tools'] },
    code: 'not_capable',
    status: 400,
    says: ['needs: vision. Download'],
  },
  'no downloaded model is of a tier and has a capability': {
    codes: { a: 'OUTSIDE_TIER', b: 'MISSING_CAPABILITY:vision' },
    wanted: { tiers: ['small'], capabilities: ['vision'] },
    code: 'model_not_downloaded',
    status: 404,
    says: ['is of the tier small and can do vision.'],
  },
  'no downloaded model is of a tier': {
    codes: { a: 'OUTSIDE_TIER', b: 'NOT_DOWNLOADED' },
    wanted: { tiers: ['small'] },
    code: 'model_not_downloaded',
    status: 404,
    says: ['is of the tier small.'],
  },
  'one model has the capability, and does not fit': {
    codes: { a: 'MISSING_CAPABILITY', b: 'INSUFFICIENT_RAM' },
    wanted: { capabilities: ['vision'] },
    code: 'nothing_fits',
    status: 503,
    says: ['a (MISSING_CAPABILITY), b (INSUFFICIENT_RAM)', 'Free memory'],
  },
  'the reasons are not known': {
    codes: {},
    code: 'nothing_fits',
    status: 503,
    says: ['fits now. Free memory'],
  },
  'neither reasons nor models are known': {
    codes: {},
    catalog: null,
    code: 'nothing_fits',
    status: 503,
    says: ['Free memory'],
  },
};

test.each(Object.entries(CASES))('%s', (_name, given) => {
  const { codes, wanted = {}, catalog = catalogOf(true), code, status, says } = given;
  const failure = nothingFits(rejected(codes), { ...ANY_MODEL, ...wanted }, catalog);
  expect(failure).toMatchObject({ code, status });
  for (const part of says) expect(failure.message).toContain(part);
  if (code !== 'nothing_fits') expect(failure.message).not.toContain('Free memory');
});

test.each([
  ['beside others', true],
  ['which is the only one', false],
])('a model whose file the engine refuses, %s, is named with the reason', (_name, isDownloaded) => {
  const refusal = { reason: 'its rope.dimension_count is 6, but its keys have 64 values' };
  const refused = { modelKey: 'a', rejection: { code: 'ENGINE_REFUSES', refusal } };
  const absent = { modelKey: 'b', rejection: { code: 'NOT_DOWNLOADED' } };
  expect(nothingFits([absent, refused], ANY_MODEL, catalogOf(isDownloaded))).toEqual({
    code: 'load_failed',
    status: 503,
    message:
      'a cannot be loaded: its rope.dimension_count is 6, but its keys have 64 values. "mai models" lists the models that can be loaded.',
    retryAfterSeconds: null,
  });
});
