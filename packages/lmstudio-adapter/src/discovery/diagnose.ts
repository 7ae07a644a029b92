import { DEFAULT_PORT, parseBaseUrl } from './base-url.js';
import { APP_PORTS, discover, type DiscoverOptions, isLoopbackHost } from './discover.js';
import { findLMStudioHome, type LMStudioHome } from './lmstudio-home.js';
import type { Probe } from './probe.js';

/** Which of the ways to be there, or not, this is. */
export type LMStudioState =
  | 'running'
  /** No LM Studio folder on this machine, and nothing answers. */
  | 'not-installed'
  /** Installed here, but neither the app nor its server answers. */
  | 'app-closed'
  /** Only the headless LM Studio is installed here, and its daemon does not answer. */
  | 'daemon-down'
  /** The app answers, but its API server is not on the given port. */
  | 'server-off'
  /** The other host does not exist, does not answer, or refuses the port. */
  | 'wrong-host'
  /** Something answers that is not LM Studio. */
  | 'something-else'
  /** Something in front of LM Studio asks for credentials. */
  | 'unauthorized';

/** The app answers on loopback at once, or not at all. */
const APP_PROBE_MS = 500;

/** A finding with the next thing to do. */
export interface Diagnosis {
  readonly state: LMStudioState;
  /** One or two plain sentences: what is the case, and what to do. */
  readonly message: string;
  /** The command that mends it; `null` where there is no single one. */
  readonly command: string | null;
  /** Where LM Studio answers, if anywhere. */
  readonly baseUrl: string | null;
  /** LM Studio's folder on this machine. */
  readonly home: LMStudioHome | null;
  readonly probes: readonly Probe[];
}

/**
 * Finds out why LM Studio cannot be reached, or that it can: looks where `discover` looks, then at
 * LM Studio's folder, then whether the app answers on its own ports although the given one is off.
 * @throws TypeError when `baseUrl` is malformed; the signal's reason when cancelled.
 */
export async function diagnose(options: DiscoverOptions = {}): Promise<Diagnosis> {
  const { baseUrl, probes } = await discover(options);
  return explain(baseUrl, probes, findLMStudioHome(options), options);
}

/** The second half of `diagnose`, for callers that have already probed. */
export async function explain(
  baseUrl: string | null,
  probes: readonly Probe[],
  home: LMStudioHome | null,
  options: DiscoverOptions,
): Promise<Diagnosis> {
  const finding = (
    state: LMStudioState,
    message: string,
    command: string | null = null,
  ): Diagnosis => ({ state, message, command, baseUrl, home, probes });
  if (baseUrl !== null) return finding('running', `LM Studio answers at ${baseUrl}.`);

  if (options.baseUrl !== undefined) {
    const { host, port, httpUrl } = parseBaseUrl(options.baseUrl);
    const probe = probes[0];
    if (probe?.outcome === 'unauthorized') {
      return finding(
        'unauthorized',
        `${httpUrl} asks for credentials (${probe.detail ?? 'refused'}). Set LM_API_TOKEN to a token that you create in LM Studio (Developer, Server Settings), or check the proxy in front of it.`,
      );
    }
    if (probe?.outcome === 'something-else') return finding('something-else', notLMStudio(probe));
    if (!isLoopbackHost(host)) return finding('wrong-host', wrongHost(host, port, probe));
    const app = await discover({
      ...options,
      baseUrl: undefined,
      ports: APP_PORTS,
      timeoutMs: Math.min(options.timeoutMs ?? APP_PROBE_MS, APP_PROBE_MS),
    });
    if (app.baseUrl !== null) {
      return finding(
        'server-off',
        `LM Studio is open, but its API server does not answer on port ${port}. Start it with 'lms server start --port ${port}', or leave the address out to use ${app.baseUrl}.`,
        `lms server start --port ${port}`,
      );
    }
    return offHere(finding, home, port, httpUrl);
  }
  const stranger = probes.find(({ outcome }) => outcome === 'something-else');
  if (home === null && stranger !== undefined) {
    return finding('something-else', notLMStudio(stranger));
  }
  return offHere(finding, home, DEFAULT_PORT, null);
}

function offHere(
  finding: (state: LMStudioState, message: string, command?: string | null) => Diagnosis,
  home: LMStudioHome | null,
  port: number,
  askedUrl: string | null,
): Diagnosis {
  if (home === null) {
    return finding(
      'not-installed',
      askedUrl === null
        ? `LM Studio is not installed here: there is no .lmstudio folder, and nothing answers on loopback. Install it from https://lmstudio.ai, or give the address of another machine's LM Studio.`
        : `Nothing answers at ${askedUrl}, and LM Studio does not seem to be installed here: there is no .lmstudio folder. Check the address, or install LM Studio from https://lmstudio.ai.`,
    );
  }
  const silent = askedUrl === null ? '' : `Nothing answers at ${askedUrl}. `;
  if (home.headless) {
    return finding(
      'daemon-down',
      `${silent}LM Studio is installed (${home.path}), but neither its app nor its daemon runs. Start it with 'lms daemon up', then 'lms server start'.`,
      'lms daemon up',
    );
  }
  const onPort = port === DEFAULT_PORT ? '' : ` --port ${port}`;
  return finding(
    'app-closed',
    `${silent}LM Studio is installed (${home.path}), but it is not running. Open the app, or run 'lms server start${onPort}'.`,
    `lms server start${onPort}`,
  );
}

function notLMStudio(probe: Probe): string {
  const { httpUrl } = parseBaseUrl(probe.baseUrl);
  const detail = probe.detail === null ? '' : ` (${probe.detail})`;
  return `${httpUrl} answers, but not as LM Studio${detail}. Check the port; LM Studio's default is ${DEFAULT_PORT}, and 'lms server status' prints the one in use.`;
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
