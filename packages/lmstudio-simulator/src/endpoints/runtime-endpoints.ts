import * as z from 'zod/mini';
import type { WorldMachine } from '../world/world.js';
import type { Backend } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc, noParameter } from '../wire/endpoint.js';

const ENGINE_VERSION = '1.50.2';

const engineSchema = z.object({ name: z.string(), version: z.string() });
const scopeSchema = z.optional(
  z.nullable(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('selected') }),
      z.object({ type: z.literal('all') }),
      z.object({ type: z.literal('custom'), engines: z.array(engineSchema) }),
    ]),
  ),
);

/** The namespace `runtime`: engines, and the capacities of the hardware that they see. */
export function runtimeEndpoints({ runtime }: Backend): readonly (readonly [string, Endpoint])[] {
  const { machine } = runtime.world;
  const name = engineName(machine);
  return [
    [
      'surveyHardware',
      rpc(scopeSchema, (scope) => {
        const known =
          scope?.type !== 'custom' || scope.engines.some((engine) => engine.name === name);
        return known
          ? { status: 'ok', engines: [survey(machine)] }
          : { status: 'noCompatibleBackends', engines: [] };
      }),
    ],
    [
      'getEngineSelections',
      rpc(
        noParameter,
        () => superjsonMap([['GGUF', { name, version: ENGINE_VERSION }]]),
        'superjson',
      ),
    ],
    [
      'listEngines',
      rpc(noParameter, () => [
        {
          name,
          version: ENGINE_VERSION,
          engine: 'llama.cpp',
          platform: machine.platform,
          cpu: { architecture: machine.architecture },
          supportedModelFormatNames: ['GGUF'],
        },
      ]),
    ],
  ];
}

/** A map in the format of superjson, LM Studio's serializer for values that JSON lacks. */
function superjsonMap(entries: readonly (readonly [string, unknown])[]): object {
  return { json: entries, meta: { values: ['map'], v: 1 } };
}

function engineName({ platform, architecture, gpus }: WorldMachine): string {
  const system = { linux: 'linux', darwin: 'mac', win32: 'win' }[platform];
  const cpu = architecture === 'ARM64' ? 'arm64' : 'x86_64';
  const backend = {
    CUDA: 'nvidia-cuda12-avx2',
    ROCm: 'amd-rocm-avx2',
    Vulkan: 'vulkan-avx2',
    Metal: 'apple-metal-advsimd',
    none: 'avx2',
  }[gpus[0]?.platform ?? 'none'];
  return `llama.cpp-${system}-${cpu}-${backend}`;
}

function survey(machine: WorldMachine): object {
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
  const vramCapacity = machine.gpus.reduce((sum, gpu) => sum + gpu.totalBytes, 0);
  return {
    name: engineName(machine),
    version: ENGINE_VERSION,
    engine: 'llama.cpp',
    platform: machine.platform,
    compatibility: { status: 'compatible' },
    supportedModelFormatNames: ['GGUF'],
    hardwareSurvey: {
      gpuSurveyResult: {
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
