import { type Connection, translated } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type { LoadConfig, ModelKind } from '../models/model-types.js';
import type { Budget } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';
import { loadConfigProblem, toWireLoadConfig } from '../load/load-config-wire.js';

/** LM Studio's version as it reports it. */
export interface LMStudioVersion {
  readonly version: string;
  readonly build: number;
}

/**
 * LM Studio's own estimate for a model with a load configuration. It covers weights and context
 * only, no compute buffers, and is known to be off both ways.
 */
export interface ResourceEstimate {
  readonly confidence: 'high' | 'low';
  readonly weightsBytes: number;
  readonly contextBytes: number;
  readonly totalBytes: number;
  readonly weightsVramBytes: number;
  readonly contextVramBytes: number;
  readonly totalVramBytes: number;
  /** Whether LM Studio's guardrails would let it load. */
  readonly passesGuardrails: boolean;
}

/** A graphics device as LM Studio's engine sees it. Capacities only: nothing reports free memory. */
export interface SurveyedGpu {
  readonly deviceIndex: number;
  readonly name: string;
  readonly integration: 'integrated' | 'discrete' | null;
  /** How it was detected: `CUDA`, `Metal`, `Vulkan`, `ROCm`, ... */
  readonly platform: string | null;
  readonly dedicatedBytes: number | null;
  readonly totalBytes: number | null;
}

/** The machine on which LM Studio runs, from its selected engine. */
export interface HardwareSurvey {
  /** Engine that was asked, e.g. `llama.cpp-linux-x86_64-nvidia-cuda12-avx2`; `null`: none fits. */
  readonly engine: { readonly name: string; readonly version: string } | null;
  readonly ramBytes: number | null;
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
  readonly format: string;
  readonly name: string;
  readonly version: string;
}

/** LM Link: the machines whose models this LM Studio can use. */
export interface LinkedDevices {
  readonly status: string;
  readonly issues: readonly string[];
  /** The machine LM Studio runs on. */
  readonly own: { readonly deviceIdentifier: string | null; readonly deviceName: string };
  readonly preferredDeviceIdentifier: string | null;
  readonly peers: readonly {
    readonly deviceIdentifier: string;
    readonly deviceName: string;
    readonly connected: boolean;
  }[];
}

/** A model to be estimated. */
export interface EstimateSubject {
  readonly kind: ModelKind;
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly keepModelInMemory: boolean | null;
  readonly deviceIdentifier: string | null | undefined;
}

export async function readVersion(
  connection: Connection,
  budget: Budget,
): Promise<LMStudioVersion> {
  return translated(connection, 'tell its version', async () => {
    const { version, build } = await connection.pool.read(
      budget.spec('system', 'version'),
      (wire) => wire.version(),
    );
    return { version, build };
  });
}

/** `null` when this LM Studio cannot estimate. */
export async function estimate(
  connection: Connection,
  subject: EstimateSubject,
  budget: Budget,
): Promise<ResourceEstimate | null> {
  const { kind, modelKey, loadConfig } = subject;
  const problem = loadConfigProblem(loadConfig);
  if (problem !== null) {
    throw new LMStudioError('LOAD_REFUSED', `${modelKey} cannot be loaded so: ${problem}.`, {
      modelKey,
    });
  }
  const config = toWireLoadConfig(kind, loadConfig, subject.keepModelInMemory);
  const asked = await connection.pool.readIfAvailable(
    budget.spec(kind, 'estimateModelUsage'),
    (wire) => wire.estimateModelUsage(kind, modelKey, config, subject.deviceIdentifier),
  );
  if (asked === null) return null;
  const { memory, passesGuardrails } = asked.value;
  return {
    confidence: memory.confidence,
    weightsBytes: memory.modelBytes,
    contextBytes: memory.contextBytes,
    totalBytes: memory.totalBytes,
    weightsVramBytes: memory.modelVramBytes,
    contextVramBytes: memory.contextVramBytes,
    totalVramBytes: memory.totalVramBytes,
    passesGuardrails,
  };
}

/** `null` when this LM Studio has no hardware survey. */
export async function surveyHardware(
  connection: Connection,
  budget: Budget,
): Promise<HardwareSurvey | null> {
  return translated(connection, 'survey its hardware', async () => {
    const asked = await connection.pool.readIfAvailable(
      budget.spec('runtime', 'surveyHardware'),
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
    return {
      engine: { name: engine.name, version: engine.version },
      ramBytes: capacity(engine.memoryInfo.ramCapacity),
      vramBytes:
        capacity(engine.memoryInfo.vramCapacity) ??
        (NO_GPU.has(gpuSurveyResult.result.code) && gpuSurveyResult.gpuInfo.length === 0
          ? 0
          : null),
      gpus: gpuSurveyResult.gpuInfo.map((gpu) => ({
        deviceIndex: gpu.deviceId,
        name: gpu.name,
        integration:
          gpu.integrationType === 'integrated' || gpu.integrationType === 'discrete'
            ? gpu.integrationType
            : null,
        platform: gpu.detectionPlatform === 'unknown' ? null : gpu.detectionPlatform,
        dedicatedBytes: capacity(gpu.dedicatedMemoryCapacityBytes),
        totalBytes: capacity(gpu.totalMemoryCapacityBytes),
      })),
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

/** `null` when this LM Studio does not tell. */
export async function selectedEngines(
  connection: Connection,
  budget: Budget,
): Promise<readonly SelectedEngine[] | null> {
  return translated(connection, 'list its engines', async () => {
    const asked = await connection.pool.readIfAvailable(
      budget.spec('runtime', 'getEngineSelections'),
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

/** `null` when this LM Studio has no LM Link. */
export async function linkedDevices(
  connection: Connection,
  budget: Budget,
): Promise<LinkedDevices | null> {
  return translated(connection, 'list its LM Link devices', async () => {
    try {
      const asked = await connection.pool.readIfAvailable(
        budget.optionalSpec('repository', 'lmLinkStatus'),
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

/** Survey results that mean 'there is none' rather than 'could not look'. */
const NO_GPU: ReadonlySet<string> = new Set(['success', 'noDevicesFound']);

/** A capacity of 0 is a survey that could not tell. */
function capacity(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}
