import type { GpuVendor } from '@mai/memory-ledger';
import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import type { RawSurvey, RawSurveyedGpu, RawSurveyEngine } from '../wire/wire.js';

/** A GPU as LM Studio's engine sees it. LM Studio reports only capacities, and no free memory. */
export interface SurveyedGpu {
  readonly deviceIndex: number;
  /** `null`: LM Studio's hardware survey gives no name. */
  readonly name: string | null;
  /**
   * From the interface that detected the GPU; `null` where several vendors use that interface, as
   * with Vulkan.
   */
  readonly vendor: GpuVendor | null;
  readonly integration: 'integrated' | 'discrete' | null;
  /** The interface that detected the GPU: `CUDA`, `Metal`, `Vulkan`, `ROCm`, ... */
  readonly platform: string | null;
  readonly dedicatedBytes: number | null;
  readonly totalBytes: number | null;
}

/** A part of the hardware survey that failed. */
export interface SurveyProblem {
  readonly part: 'engine' | 'gpu' | 'cpu';
  /** LM Studio's own code, e.g. `noCompatibleBackends`, `error` or `gpuDriverUnsupported`. */
  readonly code: string;
  /** LM Studio's own message; `null`: LM Studio sent no message. */
  readonly message: string | null;
}

/** The machine that LM Studio runs on, as its selected engine reports it. */
export interface HardwareSurvey {
  /**
   * The engine that was asked, e.g. `llama.cpp-linux-x86_64-nvidia-cuda12-avx2`; `null`: no engine
   * is selected.
   */
  readonly engine: { readonly name: string; readonly version: string } | null;
  readonly ramBytes: number | null;
  /** 0 where the survey found no GPU; `null` where the survey of the GPUs failed. */
  readonly vramBytes: number | null;
  /** Without software renderers. Empty where the survey found no GPU, and where it failed: see `problems`. */
  readonly gpus: readonly SurveyedGpu[];
  readonly cpu: {
    readonly name: string | null;
    readonly architecture: string;
    readonly instructionSets: readonly string[];
  } | null;
  /** The parts that failed; empty where the whole survey succeeded. */
  readonly problems: readonly SurveyProblem[];
}

/** Asks the llama.cpp engine for the hardware; `null` where this LM Studio has no hardware survey. */
export async function surveyHardware(
  connection: Connection,
  deadline: Deadline,
): Promise<HardwareSurvey | null> {
  return withLMStudioErrors(connection, 'survey its hardware', async () => {
    const asked = await connection.pool.readIfAvailable(
      deadline.spec('runtime', 'surveyHardware'),
      (wire) => wire.surveyHardware(),
    );
    return asked === null ? null : toHardwareSurvey(asked.value);
  });
}

/** Reads the survey of llama.cpp's engine, or else of the first engine. */
export function toHardwareSurvey({ status, engines }: RawSurvey): HardwareSurvey {
  const statusProblems: readonly SurveyProblem[] =
    status === 'ok' ? [] : [{ part: 'engine', code: status, message: null }];
  const engine = engines.find((one) => one.engine === 'llama.cpp') ?? engines[0];
  if (engine === undefined) {
    return {
      engine: null,
      ramBytes: null,
      vramBytes: null,
      gpus: [],
      cpu: null,
      problems: statusProblems,
    };
  }
  const gpus = engine.gpus.filter(({ name }) => !SOFTWARE_RENDERER.test(name));
  const foundNoGpu = GPU_SURVEY_SUCCEEDED.has(engine.gpuResult.code) && gpus.length === 0;
  // The capacity of a software renderer is RAM.
  const vramBytes = foundNoGpu && engine.gpus.length > 0 ? null : capacity(engine.vramCapacity);
  return {
    engine: { name: engine.name, version: engine.version },
    ramBytes: capacity(engine.ramCapacity),
    vramBytes: vramBytes ?? (foundNoGpu ? 0 : null),
    gpus: gpus.map(toSurveyedGpu),
    cpu: engine.cpu,
    problems: [...statusProblems, ...engineProblems(engine)],
  };
}

function engineProblems(engine: RawSurveyEngine): readonly SurveyProblem[] {
  const { compatibility, gpuResult, cpuResult } = engine;
  return [
    ...(compatibility.code === 'compatible' ? [] : [{ part: 'engine' as const, ...compatibility }]),
    ...(GPU_SURVEY_SUCCEEDED.has(gpuResult.code) ? [] : [{ part: 'gpu' as const, ...gpuResult }]),
    ...(cpuResult.code === 'success' ? [] : [{ part: 'cpu' as const, ...cpuResult }]),
  ];
}

/** One GPU of a survey. A fact that LM Studio does not know is an empty name, `unknown` or 0. */
export function toSurveyedGpu(gpu: RawSurveyedGpu): SurveyedGpu {
  return {
    deviceIndex: gpu.deviceId,
    name: gpu.name.trim() === '' ? null : gpu.name,
    vendor: VENDORS.get(gpu.detectionPlatform) ?? null,
    integration:
      gpu.integrationType === 'integrated' || gpu.integrationType === 'discrete'
        ? gpu.integrationType
        : null,
    platform: gpu.detectionPlatform === 'unknown' ? null : gpu.detectionPlatform,
    dedicatedBytes: capacity(gpu.dedicatedMemoryCapacityBytes),
    totalBytes: capacity(gpu.totalMemoryCapacityBytes),
  };
}

/**
 * Interfaces that belong to one vendor. LM Studio for macOS needs Apple silicon, so Metal means
 * Apple.
 */
const VENDORS: ReadonlyMap<string, GpuVendor> = new Map([
  ['CUDA', 'nvidia'],
  ['ROCm', 'amd'],
  ['Metal', 'apple'],
] as const);

/**
 * Devices that draw on the CPU: Mesa's llvmpipe (also called lavapipe), SwiftShader, and Windows' Basic Render Driver. Vulkan lists
 * them beside GPUs (xCollateral/VulkanMod #56, linuxmint/mintreport #118), with RAM as their memory, and llama.cpp does not use
 * them. Whether a survey of LM Studio contains them is not known.
 */
const SOFTWARE_RENDERER = /llvmpipe|lavapipe|swiftshader|basic render/i;

/** Result codes of a successful GPU survey. An empty list then means that the machine has no GPU. */
const GPU_SURVEY_SUCCEEDED: ReadonlySet<string> = new Set(['success', 'noDevicesFound']);

/** LM Studio reports a capacity that it could not read as 0. */
function capacity(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}
