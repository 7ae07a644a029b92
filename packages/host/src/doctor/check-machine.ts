import { hasOwnMemory } from '@mai/memory-ledger';
import type { HardwareSurvey, SurveyedGpu, SurveyProblem } from '@mai/lmstudio-adapter';
import { gpusInSurvey, isResourceMonitorError } from '@mai/resource-monitor';
import type {
  FigureSource,
  GpuSnapshot,
  PassedOver,
  ResourceSnapshot,
} from '@mai/resource-monitor';
import type { HostContext } from '../host-options.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { MachineMonitor } from '../machine/open-monitor.js';
import { formatBytes, plural } from '../words.js';
import type { Check } from './check.js';
import { fault, ok, warning } from './check.js';
import { checkSurveyedSizes } from './check-surveyed-sizes.js';

const BETWEEN_READINGS_MS = 250;
const INSTALL_GPU_TOOL = 'Install the tool of the GPU vendor (NVIDIA: nvidia-smi).';

/**
 * Checks which figures of memory and GPUs can be read. Compares the GPUs with the GPUs that LM Studio's
 * engine sees.
 */
export async function checkMachine(
  monitor: MachineMonitor,
  link: RuntimeLink | null,
  { clock, signal }: HostContext,
): Promise<readonly Check[]> {
  const { own } = monitor;
  if (own === null) return [];
  if (link !== null) await monitor.inform(link, signal);
  const client = link?.kind === 'on' ? link.client : null;
  let snapshot: ResourceSnapshot;
  try {
    // Rates and CPU load need two readings.
    await own.snapshot({ signal });
    await clock.sleep(BETWEEN_READINGS_MS, { signal });
    snapshot = await own.snapshot({ signal });
  } catch (error) {
    if (!isResourceMonitorError(error)) throw error;
    return [fault('Memory', error.message, null)];
  }
  const seen = [...snapshot.gpus.map((gpu) => checkGpu(gpu, snapshot)), ...closedGpus(snapshot)];
  const survey = client === null ? null : await client.surveyHardware({ signal });
  const problems = (survey?.problems ?? []).map(checkSurvey);
  const isLocal = client?.host.isLocal === true;
  const hidden =
    isLocal && link?.runtime === 'lmstudio' && survey !== null
      ? [
          ...hiddenGpus(survey.gpus, snapshot.gpus.length),
          ...unseenGpus(survey, snapshot),
          ...checkSurveyedSizes(snapshot.gpus, survey.gpus),
        ]
      : [];
  return [
    checkMemory(snapshot),
    ...seen,
    ...hidden,
    ...problems,
    ...(link?.runtime === 'embedded' && survey !== null ? unusedGpus(survey.gpus, snapshot) : []),
    ...(seen.length + hidden.length + problems.length === 0 ? [noGpu(snapshot)] : []),
    ok('Readings', describeSources(snapshot.sources)),
  ];
}

/**
 * No GPU, or NVIDIA cards that nvidia-smi does not list: they are suspended, or their driver fails, for example after an update
 * that waits for a restart.
 */
function noGpu(machine: ResourceSnapshot): Check {
  const failed = ofNvidiaSmi(machine);
  if (failed === undefined || failed.cause === 'not-installed' || failed.cause === 'no-device')
    return ok('GPU', 'No GPU was found; models run on the CPU.');
  return warning(
    'GPU',
    `No GPU can be read: ${failed.reason.replace(/\.$/, '')}.`,
    failed.cause === 'suspended'
      ? null
      : 'If this machine has an NVIDIA card, restart the machine, or install its driver again.',
  );
}

/** Why nvidia-smi lists no card; undefined where it lists some, and on platforms without it. */
function ofNvidiaSmi({ sources }: ResourceSnapshot): PassedOver | undefined {
  const readers = sources.find(({ figure }) => figure === 'gpus')?.passedOver ?? [];
  return readers.find(({ source }) => source === 'nvidia-smi');
}

/** Warns of cards that programs of this user cannot open. LM Studio has the same rights where it runs as this user. */
function closedGpus({ gpus, sources }: ResourceSnapshot): readonly Check[] {
  return sources.flatMap(({ figure, source, passedOver: [reader] }) => {
    const deviceKey = /^gpu:(.*)$/s.exec(figure)?.[1];
    if (deviceKey === undefined || source !== null || reader === undefined) return [];
    if (gpus.some((gpu) => gpu.deviceKey === deviceKey)) return [];
    return [warning('GPU', `A card is not used: ${reader.reason}.`, null)];
  });
}

function checkMemory({ ram, unified, swap }: ResourceSnapshot): Check {
  const { totalBytes, availableBytes, limitedBy, machineTotalBytes } = ram;
  const limit =
    limitedBy === 'cgroup'
      ? ` (this container's limit; the machine has ${formatBytes(machineTotalBytes)})`
      : '';
  if (availableBytes === null) {
    return fault(
      'Memory',
      `${formatBytes(totalBytes)}${limit}; the free memory cannot be read.`,
      null,
    );
  }
  const shared = unified ? ', shared by CPU and GPU' : '';
  const inSwap =
    swap.totalBytes !== null && swap.freeBytes !== null ? swap.totalBytes - swap.freeBytes : 0;
  const swapped = inSwap > 0 ? `; ${formatBytes(inSwap)} are in swap` : '';
  return ok(
    'Memory',
    `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} available${limit}${shared}${swapped}.`,
  );
}

function checkGpu(one: GpuSnapshot, machine: ResourceSnapshot): Check {
  const { name, availableBytes, totalBytes } = one;
  const gpu = name ?? 'GPU';
  if (!hasOwnMemory(one, machine)) return ok('GPU', `${gpu} uses system memory.`);
  if (totalBytes === null || availableBytes === null) {
    const figure = `gpu:${one.deviceKey}`;
    const [reader] = machine.sources.find((source) => source.figure === figure)?.passedOver ?? [];
    const why = reader === undefined ? '' : ` (${reader.reason})`;
    return warning(
      'GPU',
      totalBytes === null
        ? `${gpu}: the size of its memory cannot be read${why}, so Mai plans nothing into it.`
        : `${gpu}: its free memory cannot be read${why}, so Mai decides by its total memory.`,
      // Where the tool gives no figure, another tool does not help.
      reader === undefined || lacksTool(one, machine) ? INSTALL_GPU_TOOL : null,
    );
  }
  return ok('GPU', `${gpu}, ${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} free.`);
}

/** Whether this machine lacks the program that reads the memory of an NVIDIA card. */
function lacksTool({ vendor }: GpuSnapshot, machine: ResourceSnapshot): boolean {
  return vendor === 'nvidia' && ofNvidiaSmi(machine)?.cause === 'not-installed';
}

/** LM Studio's engine failed to look at a part of the hardware, so it may load models without its GPU. */
function checkSurvey({ part, code, message }: SurveyProblem): Check {
  const what = {
    engine: 'survey this machine with its engine',
    gpu: 'list the GPUs',
    cpu: 'read the CPU',
  };
  return fault(
    'Survey',
    `LM Studio cannot ${what[part]} (${code})${message === null ? '' : `: ${message.replace(/\.$/, '')}`}.`,
    'Select another runtime in LM Studio (Settings, Runtime), or update the driver of the GPU.',
  );
}

/** Warns where LM Studio's engine sees more GPUs than this process. */
function hiddenGpus(surveyed: readonly SurveyedGpu[], known: number): readonly Check[] {
  if (surveyed.length <= known) return [];
  const names = surveyed.map(({ name }) => name ?? 'a GPU').join(', ');
  return [
    warning(
      'GPU',
      `LM Studio sees ${names}, but Mai cannot read the free memory of ${surveyed.length === 1 ? 'this GPU' : plural(surveyed.length - known, 'GPU')}.`,
      INSTALL_GPU_TOOL,
    ),
  ];
}

/**
 * Warns where LM Studio's engine sees fewer cards than this machine has. LM Studio then uses only the cards that it sees, or
 * the CPU, also where it lists a card in its settings. Mai plans nothing into the others.
 */
function unseenGpus(
  { gpus: seen, problems }: HardwareSurvey,
  machine: ResourceSnapshot,
): readonly Check[] {
  const own = machine.gpus.filter((gpu) => hasOwnMemory(gpu, machine));
  const count = gpusInSurvey(own, { gpus: seen }).length;
  // A survey that failed has a line of its own.
  if (count >= own.length || problems.some(({ part }) => part !== 'cpu')) return [];
  const names = own.map(({ name }) => name ?? 'a GPU').join(', ');
  return [
    warning(
      'GPU',
      count === 0
        ? `LM Studio's engine cannot use ${names}, so models run on the CPU.`
        : `LM Studio's engine sees only ${plural(count, 'GPU')} of ${names}.`,
      'Select a runtime for this GPU in LM Studio (Settings, Runtime), or update the driver of the GPU.',
    ),
  ];
}

/** Warns where this machine has a GPU that the installed build of the embedded engine cannot use. */
function unusedGpus(usable: readonly SurveyedGpu[], machine: ResourceSnapshot): readonly Check[] {
  const own = machine.gpus.filter((gpu) => hasOwnMemory(gpu, machine));
  if (own.length === 0 || usable.length > 0) return [];
  const names = own.map(({ name }) => name ?? 'a GPU').join(', ');
  const build = own.some(({ vendor }) => vendor === 'nvidia') ? 'cuda' : 'vulkan';
  return [
    warning(
      'GPU',
      `The installed build of the embedded engine cannot use ${names}, so models run on the CPU.`,
      `Install the build for this GPU beside mai: npm install -g @fugood/node-llama-${process.platform}-${process.arch}-${build}`,
    ),
  ];
}

/** One line for each figure: the reader that supplied it, and why other readers did not. */
function describeSources(sources: readonly FigureSource[]): string {
  return sources
    .map(({ figure, source, passedOver }) => {
      const others = passedOver.map((other) => `${other.source}: ${other.reason}`).join('; ');
      const from = source === null ? 'not known here' : `from ${source}`;
      return `${figure} ${from}${others === '' ? '' : ` (not ${others})`}`;
    })
    .join('\n');
}
