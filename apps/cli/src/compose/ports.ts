import type { AutopilotPorts, RuntimePort, SurveyPort } from '@mai/autopilot';
import { systemClock } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import type { LMStudioLink } from './connect-lmstudio.js';

/** What is joined, and what only the caller knows how to make. */
export interface PortParts {
  readonly link: LMStudioLink;
  readonly monitor: AutopilotPorts['monitor'];
  readonly catalog: AutopilotPorts['catalog'];
  /** Asks `anythingLoaded` whether residents were seen when they were last listed. */
  readonly estimator: (anythingLoaded: () => boolean) => AutopilotPorts['estimator'];
}

/** Joins the packages to what the autopilot asks of the world. */
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
    survey: surveyOf(link),
    clock: systemClock,
    runtimeIsLocal: link.kind === 'off' || link.client.host.isLocal,
  };
}

/** LM Studio that is off has nothing loaded and loads nothing. */
function runtimeOff(reason: Error): RuntimePort {
  return {
    listResidents: () => Promise.resolve([]),
    load: () => Promise.reject(reason),
    unload: () => Promise.reject(reason),
  };
}

function surveyOf(link: LMStudioLink): SurveyPort {
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
      `LM Studio at ${client.baseUrl} runs on another machine and does not say how much memory that has. Update LM Studio there.`,
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
