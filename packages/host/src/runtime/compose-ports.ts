import type { AutopilotPorts, Clock, EnginePort, SurveyPort } from '@mai/autopilot';
import type { LMStudioClient, ResidentInstance } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import { sizeOf } from '@mai/resource-monitor';
import type { GivenContexts } from './given-contexts.js';
import { timeLoads, type LoadCalls, type OnLoaded } from './time-loads.js';
import type { RuntimeLink } from './connect-runtime.js';

/** The parts that the autopilot's ports are made from. */
export interface PortParts {
  readonly link: RuntimeLink;
  readonly monitor: AutopilotPorts['monitor'];
  readonly clock: Clock;
  /** Notes which context each load got. */
  readonly contexts: Pick<GivenContexts, 'record'>;
  /** Called with the time of each load. Default: not called. */
  readonly onLoaded?: OnLoaded;
  /** `residents` returns the last list of residents. Default: the processes of the engines are not known. */
  readonly engines?: (residents: () => readonly ResidentInstance[]) => EnginePort | null;
  /** `residents` returns the last list of residents. */
  readonly catalog: (residents: () => readonly ResidentInstance[]) => AutopilotPorts['catalog'];
  /** `residents` returns the last list of residents. */
  readonly estimator: (residents: () => readonly ResidentInstance[]) => AutopilotPorts['estimator'];
}

/** Makes the autopilot's ports of a runtime, a monitor, a catalog and an estimator. */
export function composePorts({
  link,
  catalog,
  estimator,
  engines,
  contexts,
  onLoaded = () => Promise.resolve(),
  ...ports
}: PortParts): AutopilotPorts {
  let residents: readonly ResidentInstance[] = [];
  const runtime: Pick<LoadCalls, 'listResidents' | 'load' | 'unload'> =
    link.kind === 'on' ? timeLoads(link.client, ports.clock, onLoaded) : runtimeOff(link.reason);
  return {
    ...ports,
    catalog: catalog(() => residents),
    estimator: estimator(() => residents),
    runtime: {
      listResidents: async (options) => {
        residents = await runtime.listResidents(options);
        return residents;
      },
      load: async (request) => {
        const result = await runtime.load(request);
        const { modelKey, loadConfig, deviceIdentifier } = request;
        if (deviceIdentifier === null) {
          const { contextLengthTokens } = result.instance;
          await contexts.record(modelKey, loadConfig.contextLengthTokens, contextLengthTokens);
        }
        return result;
      },
      unload: (instanceIdentifier, options) => runtime.unload(instanceIdentifier, options),
      ...(link.kind === 'on' && link.runtime === 'embedded'
        ? { onEnded: (listener) => link.client.onEnded(listener) }
        : {}),
    },
    engines: engines?.(() => residents) ?? null,
    survey: surveyOf(link),
    runtimeIsLocal: link.kind === 'off' || link.client.host.isLocal,
  };
}

/** While the runtime is off, nothing is loaded and loads fail. */
function runtimeOff(reason: Error): Pick<LoadCalls, 'listResidents' | 'load' | 'unload'> {
  return {
    listResidents: () => Promise.resolve([]),
    load: () => Promise.reject(reason),
    unload: () => Promise.reject(reason),
  };
}

function surveyOf(link: RuntimeLink): SurveyPort {
  return {
    survey: async (options) => {
      if (link.kind === 'off') throw link.reason;
      // The autopilot asks only where the runtime is on another machine.
      if (link.runtime === 'embedded') throw new Error('The embedded engine is on this machine.');
      return surveyMachine(link.client, options);
    },
  };
}

/** The capacities of LM Studio's machine. @throws LMStudioError `INCOMPATIBLE` where LM Studio does not report them */
export async function surveyMachine(
  client: LMStudioClient,
  options: Pick<Parameters<SurveyPort['survey']>[0], 'signal'>,
): ReturnType<SurveyPort['survey']> {
  const survey = await client.surveyHardware(options);
  if (survey?.ramBytes == null) {
    throw new LMStudioError(
      'INCOMPATIBLE',
      `LM Studio at ${client.baseUrl} runs on another machine, and does not report the memory of that machine. Update LM Studio there.`,
      { baseUrl: client.baseUrl },
    );
  }
  const ramTotalBytes = survey.ramBytes;
  return {
    ramTotalBytes,
    unified: survey.gpus.some(({ platform }) => platform === 'Metal'),
    gpus: survey.gpus.map((gpu) => {
      const memory = gpu.integration === 'integrated' ? 'shared' : 'dedicated';
      const sizeBytes = sizeOf(gpu, memory);
      return {
        deviceKey: `survey:${gpu.deviceIndex}`,
        name: gpu.name,
        memory,
        // Shared memory is RAM, so the GPU cannot use more than all RAM.
        totalBytes:
          memory === 'shared' && sizeBytes !== null
            ? Math.min(sizeBytes, ramTotalBytes)
            : sizeBytes,
      };
    }),
  };
}
