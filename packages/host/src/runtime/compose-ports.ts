import type { AutopilotPorts, Clock, RuntimePort, SurveyPort } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { RuntimeLink } from './connect-runtime.js';

/** The parts of which the autopilot's ports are made. */
export interface PortParts {
  readonly link: RuntimeLink;
  readonly monitor: AutopilotPorts['monitor'];
  readonly catalog: AutopilotPorts['catalog'];
  readonly clock: Clock;
  /** `anythingLoaded` returns whether the last list of residents was not empty. */
  readonly estimator: (anythingLoaded: () => boolean) => AutopilotPorts['estimator'];
}

/** Makes the autopilot's ports of a runtime, a monitor, a catalog and an estimator. */
export function composePorts({ link, estimator, ...ports }: PortParts): AutopilotPorts {
  let residents = 0;
  const runtime: RuntimePort = link.kind === 'on' ? link.client : runtimeOff(link.reason);
  return {
    ...ports,
    estimator: estimator(() => residents > 0),
    runtime: {
      listResidents: async (options) => {
        const listed = await runtime.listResidents(options);
        residents = listed.length;
        return listed;
      },
      load: (request) => runtime.load(request),
      unload: (instanceIdentifier, options) => runtime.unload(instanceIdentifier, options),
    },
    // The processes of LM Studio's engines are not known yet.
    engines: null,
    survey: surveyOf(link),
    runtimeIsLocal: link.kind === 'off' || link.client.host.isLocal,
  };
}

/** While LM Studio is off, nothing is loaded and loads fail. */
function runtimeOff(reason: Error): RuntimePort {
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
      return surveyMachine(link.client, options);
    },
  };
}

async function surveyMachine(
  client: LMStudioClient,
  options: Parameters<SurveyPort['survey']>[0],
): ReturnType<SurveyPort['survey']> {
  const survey = await client.surveyHardware(options);
  if (survey?.ramBytes == null) {
    throw new LMStudioError(
      'INCOMPATIBLE',
      `LM Studio at ${client.baseUrl} runs on another machine, and does not tell how much memory that machine has. Update LM Studio there.`,
      { baseUrl: client.baseUrl },
    );
  }
  return {
    ramTotalBytes: survey.ramBytes,
    unified: survey.gpus.some(({ platform }) => platform === 'Metal'),
    gpus: survey.gpus.map((gpu) => ({
      deviceKey: `survey:${gpu.deviceIndex}`,
      name: gpu.name,
      memory: gpu.integration === 'integrated' ? 'shared' : 'dedicated',
      totalBytes: gpu.dedicatedBytes ?? gpu.totalBytes,
    })),
  };
}
