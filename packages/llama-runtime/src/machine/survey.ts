import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { GpuVendor } from '@mai/memory-ledger';
import type { EngineBackend, InstalledBinding } from './find-binding.js';
import type { EngineDevice } from './inspect-messages.js';

/** Where the engine runs: always on this machine. */
export interface HostFacts {
  readonly isLocal: true;
  readonly reason: 'same-machine';
  readonly insideWsl: boolean;
  readonly insideContainer: boolean;
}

/** A GPU as llama.cpp sees it. */
export interface SurveyedGpu {
  readonly deviceIndex: number;
  readonly name: string | null;
  /** `null` where several vendors use the interface, as with Vulkan. */
  readonly vendor: GpuVendor | null;
  readonly integration: 'integrated' | 'discrete' | null;
  /** The interface that detected the GPU: `CUDA`, `Metal`, `Vulkan`. */
  readonly platform: string | null;
  readonly dedicatedBytes: number | null;
  readonly totalBytes: number | null;
}

/** A part of the hardware survey that failed. Always absent here. */
export interface SurveyProblem {
  readonly part: 'engine' | 'gpu' | 'cpu';
  readonly code: string;
  readonly message: string | null;
}

/** This machine, as the engine sees it. */
export interface HardwareSurvey {
  readonly engine: { readonly name: string; readonly version: string };
  readonly ramBytes: number;
  /** 0 without a GPU that the engine can use. */
  readonly vramBytes: number | null;
  readonly gpus: readonly SurveyedGpu[];
  readonly cpu: {
    readonly name: string | null;
    readonly architecture: string;
    readonly instructionSets: readonly string[];
  };
  readonly problems: readonly SurveyProblem[];
}

/** The installed engine. */
export interface InstalledEngine {
  /** `gguf`. */
  readonly format: string;
  /** E.g. `llama.cpp-linux-x64-cpu`. */
  readonly name: string;
  /** Version of the binding, e.g. `1.7.15`. */
  readonly version: string;
  readonly backend: EngineBackend;
  /** Threads of each engine on the CPU. */
  readonly threads: number;
}

/** The engine for a model format. */
export interface SelectedEngine extends InstalledEngine {
  /** Whether the build uses vector instructions of the CPU, as llama.cpp says; null where llama.cpp could not be asked. */
  readonly vectorInstructions: boolean | null;
}

/** The engine of a binding. */
export function engineOf({ version, backend }: InstalledBinding, threads: number): InstalledEngine {
  const name = `llama.cpp-${process.platform}-${process.arch}-${backend}`;
  return { format: 'gguf', name, version, backend, threads };
}

/** Reads a few small files on Linux. */
export function hostFacts(): HostFacts {
  const isLinux = process.platform === 'linux';
  const release = isLinux ? textOf('/proc/sys/kernel/osrelease') : '';
  const inContainer =
    isLinux &&
    ((process.env['container'] ?? '') !== '' ||
      existsSync('/.dockerenv') ||
      existsSync('/run/.containerenv') ||
      /docker|kubepods|containerd|lxc/.test(textOf('/proc/1/cgroup')));
  return {
    isLocal: true,
    reason: 'same-machine',
    insideWsl: /microsoft|wsl/i.test(release),
    insideContainer: inContainer,
  };
}

/** A file that cannot be read counts as empty. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether a device is a GPU that layers can be put on. */
export function isGpu({ type }: EngineDevice): boolean {
  return type === 'gpu' || type === 'igpu';
}

/** Describes this machine from the devices that llama.cpp names. */
export function surveyOf(
  engine: InstalledEngine,
  devices: readonly EngineDevice[],
): HardwareSurvey {
  const gpus = devices.filter(isGpu);
  const sizes = gpus.map(({ totalBytes }) => totalBytes);
  return {
    engine: { name: engine.name, version: engine.version },
    ramBytes: totalmem(),
    vramBytes: sizes.every((bytes) => bytes !== null)
      ? sizes.reduce((sum, bytes) => sum + bytes, 0)
      : null,
    gpus: gpus.map(({ backend, name, type, totalBytes }, deviceIndex) => ({
      deviceIndex,
      name: name === '' ? null : name,
      vendor: VENDORS.get(backend) ?? null,
      integration: type === 'igpu' ? 'integrated' : 'discrete',
      platform: backend,
      dedicatedBytes: type === 'igpu' ? null : totalBytes,
      totalBytes,
    })),
    cpu: {
      name: cpus()[0]?.model ?? null,
      architecture: process.arch,
      instructionSets: instructionSets(),
    },
    problems: [],
  };
}

/** Interfaces that belong to one vendor. */
const VENDORS: ReadonlyMap<string, GpuVendor> = new Map([
  ['CUDA', 'nvidia'],
  ['Metal', 'apple'],
  ['MTL', 'apple'],
] as const);

/** Instruction sets that a build of llama.cpp can use. The installed build may use fewer. */
const INSTRUCTION_SETS = ['avx', 'avx2', 'avx512f', 'avx512_vnni', 'fma', 'f16c', 'asimd'];

/** On Linux from `/proc/cpuinfo`; empty elsewhere. */
function instructionSets(): readonly string[] {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(textOf('/proc/cpuinfo'))?.[1] ?? '';
  const known = new Set(flags.trim().split(/\s+/));
  return INSTRUCTION_SETS.filter((name) => known.has(name));
}
