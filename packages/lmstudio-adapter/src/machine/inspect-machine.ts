import type { GpuVendor } from '@mai/memory-ledger';
import { isCallFault } from '../wire/call-fault.js';
import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import type { RawSurveyedGpu } from '../wire/wire.js';

/** LM Studio's version, as it reports it. */
export interface LMStudioVersion {
  readonly version: string;
  readonly build: number;
}

/** A GPU as LM Studio's engine sees it. Capacities only: LM Studio does not report free memory. */
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

/** The machine that LM Studio runs on, as its selected engine reports it. */
export interface HardwareSurvey {
  /** The engine that was asked, e.g. `llama.cpp-linux-x86_64-nvidia-cuda12-avx2`; `null`: none is selected. */
  readonly engine: { readonly name: string; readonly version: string } | null;
  readonly ramBytes: number | null;
  /** 0 where the survey found no GPU; `null` where the survey failed. */
  readonly vramBytes: number | null;
  readonly gpus: readonly SurveyedGpu[];
  readonly cpu: {
    readonly name: string | null;
    readonly architecture: string;
    readonly instructionSets: readonly string[];
  } | null;
}

/** The engine that LM Studio uses for a model format. */
export interface SelectedEngine {
  /** In lower case: `gguf`, `mlx`, ... */
  readonly format: string;
  readonly name: string;
  readonly version: string;
}

/** LM Link: the machines whose models this LM Studio can use. */
export interface LinkedDevices {
  readonly status: string;
  readonly issues: readonly string[];
  /** The machine that LM Studio runs on. */
  readonly own: { readonly deviceIdentifier: string | null; readonly deviceName: string };
  readonly preferredDeviceIdentifier: string | null;
  readonly peers: readonly {
    readonly deviceIdentifier: string;
    readonly deviceName: string;
    readonly connected: boolean;
  }[];
}

/** Asks for LM Studio's version. */
export async function readVersion(
  connection: Connection,
  deadline: Deadline,
): Promise<LMStudioVersion> {
  return withLMStudioErrors(connection, 'tell its version', async () => {
    const { version, build } = await connection.pool.read(
      deadline.spec('system', 'version'),
      (wire) => wire.version(),
    );
    return { version, build };
  });
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
    if (asked === null) return null;
    const { engines } = asked.value;
    const engine = engines.find(({ engine: name }) => name === 'llama.cpp') ?? engines[0];
    if (engine === undefined) {
      return { engine: null, ramBytes: null, vramBytes: null, gpus: [], cpu: null };
    }
    const { gpuSurveyResult, cpuSurveyResult } = engine.hardwareSurvey;
    const { cpuInfo } = cpuSurveyResult;
    const foundNoGpu =
      LOOKED_FOR_GPUS.has(gpuSurveyResult.result.code) && gpuSurveyResult.gpuInfo.length === 0;
    return {
      engine: { name: engine.name, version: engine.version },
      ramBytes: capacity(engine.memoryInfo.ramCapacity),
      vramBytes: capacity(engine.memoryInfo.vramCapacity) ?? (foundNoGpu ? 0 : null),
      gpus: gpuSurveyResult.gpuInfo.map(toSurveyedGpu),
      cpu:
        cpuInfo === undefined
          ? null
          : {
              name: cpuInfo.name ?? null,
              architecture: cpuInfo.architecture,
              instructionSets: cpuInfo.supportedInstructionSetExtensions,
            },
    };
  });
}

/** The engine for each model format; `null` where this LM Studio does not report it. */
export async function selectedEngines(
  connection: Connection,
  deadline: Deadline,
): Promise<readonly SelectedEngine[] | null> {
  return withLMStudioErrors(connection, 'list its engines', async () => {
    const asked = await connection.pool.readIfAvailable(
      deadline.spec('runtime', 'getEngineSelections'),
      (wire) => wire.getEngineSelections(),
    );
    if (asked === null) return null;
    return [...asked.value].map(([format, { name, version }]) => ({
      format: format.toLowerCase(),
      name,
      version,
    }));
  });
}

/** The machines of LM Link; `null` where this LM Studio has no LM Link. */
export async function linkedDevices(
  connection: Connection,
  deadline: Deadline,
): Promise<LinkedDevices | null> {
  return withLMStudioErrors(connection, 'list its LM Link devices', async () => {
    try {
      const asked = await connection.pool.readIfAvailable(
        deadline.optionalSpec('repository', 'lmLinkStatus'),
        (wire) => wire.lmLinkStatus(),
      );
      if (asked === null) return null;
      const link = asked.value;
      return {
        status: link.status,
        issues: link.issues,
        own: { deviceIdentifier: link.deviceIdentifier, deviceName: link.deviceName },
        preferredDeviceIdentifier: link.preferredDeviceIdentifier ?? null,
        peers: link.peers.map(({ deviceIdentifier, deviceName, status }) => ({
          deviceIdentifier,
          deviceName,
          connected: status === 'connected',
        })),
      };
    } catch (error) {
      if (isCallFault(error, 'answered')) return null;
      throw error;
    }
  });
}

/** One GPU of a survey. LM Studio reports what it does not know as an empty name, `unknown` or 0. */
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
 * Result codes of a successful GPU survey; an empty list then means that the machine has no GPU.
 */
const LOOKED_FOR_GPUS: ReadonlySet<string> = new Set(['success', 'noDevicesFound']);

/** LM Studio reports a capacity that it could not read as 0. */
function capacity(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}
