import * as z from 'zod/mini';
import type { Engine } from '../runtime/engines.js';
import type { WorldMachine } from '../world/world-machine.js';
import type { Backend } from '../runtime/backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc, noParameter } from '../wire/endpoint.js';
import { WireError } from '../wire/wire-error.js';

const engineSchema = z.object({ name: z.string(), version: z.string() });
const scopeSchema = z.optional(
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('selected') }),
    z.object({ type: z.literal('all') }),
    z.object({ type: z.literal('custom'), engines: z.array(engineSchema) }),
  ]),
);
type SurveyScope = z.infer<typeof scopeSchema>;

/** The namespace `runtime`: engines, and the capacities of the hardware that they see. */
export function runtimeEndpoints({ runtime }: Backend): readonly (readonly [string, Endpoint])[] {
  const { machine } = runtime.world;
  const { engines, faults } = runtime;

  const inScope = (scope: SurveyScope): readonly Engine[] => {
    if (scope?.type === 'all') return engines.installed;
    if (scope?.type !== 'custom') return [...engines.selections.values()];
    return engines.installed.filter(({ name, version }) =>
      scope.engines.some((wanted) => wanted.name === name && wanted.version === version),
    );
  };

  return [
    [
      'surveyHardware',
      rpc(scopeSchema, (scope) => {
        const surveyed = faults.trigger('no-compatible-backends') ? [] : inScope(scope);
        if (surveyed.length === 0) return { status: 'noCompatibleBackends', engines: [] };
        const failure = faults.trigger('survey-error');
        return {
          status: 'ok',
          engines: surveyed.map((engine) => surveyOf(engine, machine, failure)),
        };
      }),
    ],
    [
      'getEngineSelections',
      rpc(
        noParameter,
        () =>
          superjsonMap(
            [...engines.selections].map(([format, { name, version }]) => [
              format,
              { name, version },
            ]),
          ),
        'superjson',
      ),
    ],
    [
      'selectEngine',
      rpc(
        z.object({ engine: engineSchema, modelFormatName: z.string() }),
        ({ engine, modelFormatName }) => {
          const { name, version } = engine;
          if (engines.select(modelFormatName, name, version)) return;
          // The text is invented.
          throw new WireError(
            `No engine "${name}@${version}" for ${modelFormatName} is installed.`,
          );
        },
      ),
    ],
    [
      'listEngines',
      rpc(noParameter, () =>
        engines.installed.map(({ name, version, engine, formatName, usesGpu }) => ({
          name,
          version,
          engine,
          platform: machine.platform,
          cpu: { architecture: machine.architecture },
          ...(usesGpu ? { gpu: { framework: machine.gpus[0]?.platform ?? 'Metal' } } : {}),
          supportedModelFormatNames: [formatName],
        })),
      ),
    ],
  ];
}

/** A map in the format of superjson, LM Studio's serializer for values that JSON lacks. */
function superjsonMap(entries: readonly (readonly [string, unknown])[]): object {
  return { json: entries, meta: { values: ['map'], v: 1 } };
}

function surveyOf(
  { name, version, engine, formatName }: Engine,
  machine: WorldMachine,
  failure: { readonly code?: string; readonly text?: string } | null,
): object {
  const gpuInfo = machine.gpus.map((gpu, deviceId) => ({
    deviceId,
    integrationType: gpu.memory === 'shared' ? 'integrated' : 'discrete',
    detectionPlatform: gpu.platform,
    detectionPlatformVersion: '',
    otherInfo: {},
    name: gpu.name,
    dedicatedMemoryCapacityBytes: gpu.memory === 'shared' ? 0 : gpu.totalBytes,
    totalMemoryCapacityBytes: gpu.totalBytes,
  }));
  // LM Studio reports the sum of all GPUs (lmstudio-bug-tracker #1608).
  const vramCapacity = failure ? 0 : machine.gpus.reduce((sum, gpu) => sum + gpu.totalBytes, 0);
  return {
    name,
    version,
    engine,
    platform: machine.platform,
    // An engine that finds no GPU is compatible (lmstudio-ai/lms #150).
    compatibility:
      failure && failure.code !== 'noDevicesFound'
        ? { status: 'gpuSurveyUnsuccessful', message: failure.text ?? 'Survey of the GPUs failed' }
        : { status: 'compatible' },
    supportedModelFormatNames: [formatName],
    hardwareSurvey: {
      gpuSurveyResult: failure
        ? {
            result: {
              code: failure.code ?? 'error',
              message: failure.text ?? 'Survey of the GPUs failed',
            },
            gpuInfo: [],
          }
        : {
            result: { code: gpuInfo.length > 0 ? 'success' : 'noDevicesFound', message: '' },
            gpuInfo,
          },
      cpuSurveyResult: {
        result: { code: 'success', message: '' },
        cpuInfo: {
          name: machine.cpuName,
          architecture: machine.architecture,
          supportedInstructionSetExtensions: [
            machine.architecture === 'ARM64' ? 'AdvSIMD' : 'AVX2',
          ],
        },
      },
    },
    memoryInfo: {
      ramCapacity: machine.ramBytes,
      vramCapacity,
      totalMemory: machine.ramBytes + vramCapacity,
    },
  };
}
