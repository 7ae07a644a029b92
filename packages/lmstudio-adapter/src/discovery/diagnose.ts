import type { LMStudioState } from '../errors.js';
import { DEFAULT_PORT, parseBaseUrl } from './base-url.js';
import {
  APP_PORTS,
  discover,
  type DiscoverOptions,
  type Discovery,
  isLoopbackHost,
} from './discover.js';
import { findLMStudioHome, type LMStudioHome } from '../home/lmstudio-home.js';
import type { Probe } from './probe.js';

/** Deadline for the app's own ports. Loopback answers at once or never. */
const APP_PROBE_MS = 500;

/** Why LM Studio does not answer. */
export interface Diagnosis {
  readonly state: LMStudioState;
  /** The finding and the next step, in plain sentences. */
  readonly message: string;
}

/**
 * Says why a search found no LM Studio. Uses the probes and LM Studio's folder. Where a loopback address was given,
 * also asks whether the app answers on its own ports.
 * @throws TypeError when `baseUrl` is malformed; the signal's reason when cancelled.
 */
export async function diagnose(
  { probes }: Pick<Discovery, 'probes'>,
  options: DiscoverOptions,
): Promise<Diagnosis> {
  const home = findLMStudioHome(options);
  if (options.baseUrl !== undefined) {
    const { host, port, httpUrl } = parseBaseUrl(options.baseUrl);
    const probe = probes[0];
    if (probe?.outcome === 'unauthorized') {
      return {
        state: 'unauthorized',
        message: `${httpUrl} asks for credentials (${probe.detail ?? 'refused'}). Set LM_API_TOKEN to a token that you create in LM Studio (Developer, Server Settings), or check the proxy in front of LM Studio.`,
      };
    }
    if (probe?.outcome === 'something-else') return notLMStudio(probe);
    if (!isLoopbackHost(host)) {
      return { state: 'wrong-host', message: wrongHost(host, port, probe) };
    }
    const app = await discover({
      ...options,
      baseUrl: undefined,
      ports: APP_PORTS,
      timeoutMs: Math.min(options.timeoutMs ?? APP_PROBE_MS, APP_PROBE_MS),
    });
    if (app.baseUrl !== null) {
      return {
        state: 'server-off',
        message: `LM Studio is open, but its API server does not answer on port ${port}. Start it with 'lms server start --port ${port}', or leave the address out to use ${app.baseUrl}.`,
      };
    }
    return notRunning(home, port, httpUrl);
  }
  const otherServer = probes.find(({ outcome }) => outcome === 'something-else');
  if (home === null && otherServer !== undefined) return notLMStudio(otherServer);
  return notRunning(home, DEFAULT_PORT, null);
}

function notRunning(home: LMStudioHome | null, port: number, givenUrl: string | null): Diagnosis {
  if (home === null) {
    return {
      state: 'not-installed',
      message:
        givenUrl === null
          ? `LM Studio is not installed here: there is no .lmstudio folder, and nothing answers on loopback. Install it from https://lmstudio.ai, or give the address of another machine's LM Studio.`
          : `Nothing answers at ${givenUrl}, and LM Studio does not seem to be installed here: there is no .lmstudio folder. Check the address, or install LM Studio from https://lmstudio.ai.`,
    };
  }
  const noAnswer = givenUrl === null ? '' : `Nothing answers at ${givenUrl}. `;
  if (home.headless) {
    return {
      state: 'daemon-down',
      message: `${noAnswer}LM Studio is installed (${home.path}), but neither its app nor its daemon runs. Start the daemon with 'lms daemon up', then the server with 'lms server start'.`,
    };
  }
  const onPort = port === DEFAULT_PORT ? '' : ` --port ${port}`;
  return {
    state: 'app-closed',
    message: `${noAnswer}LM Studio is installed (${home.path}), but it is not running. Open the app, or run 'lms server start${onPort}'.`,
  };
}

function notLMStudio(probe: Probe): Diagnosis {
  const { httpUrl } = parseBaseUrl(probe.baseUrl);
  const detail = probe.detail === null ? '' : ` (${probe.detail})`;
  return {
    state: 'something-else',
    message: `${httpUrl} answers, but not as LM Studio${detail}. Check the port: LM Studio's default is ${DEFAULT_PORT}, and 'lms server status' prints the port in use.`,
  };
}

function wrongHost(host: string, port: number, probe: Probe | undefined): string {
  switch (probe?.outcome) {
    case 'no-such-host':
      return `The host '${host}' cannot be reached (${probe.detail ?? 'unknown'}). Check its name and the network.`;
    case 'refused':
      return `The host '${host}' refuses port ${port}. Run 'lms server start --port ${port}' there, and turn on 'Serve on Local Network' in its server settings.`;
    default:
      return `The host '${host}' does not answer on port ${port}. Check its name, its firewall, and that 'Serve on Local Network' is on in its LM Studio.`;
  }
}
