import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Fault } from '../faults/fault.js';
import { assertFault, FAULT_TYPES } from '../faults/fault-schema.js';
import type { ProfileName } from '../profile/profile.js';
import { isProfileName, PROFILE_NAMES } from '../profile/profile.js';
import type { Simulator, SimulatedFrame } from '../simulator.js';
import { startSimulator } from '../start-simulator.js';
import { isSimulatorError, SimulatorError } from '../simulator-error.js';
import { isExampleWorldName, exampleWorld } from '../world/example-worlds.js';
import { parseWorld } from '../world/parse-world.js';
import type { WorldInput } from '../world/world-input.js';

/** The ports on which the SDK looks for LM Studio when it has no address. */
const DISCOVERY_PORTS = [41_343, 52_993, 16_141, 39_414, 22_931];

const USAGE = `Usage: lmstudio-simulator [options]

Simulates LM Studio on loopback, for tests and demos.

  --port N         port to listen on (default: any free one)
  --host ADDRESS   address to listen on (default: 127.0.0.1)
  --discoverable   listen on a port where @lmstudio/sdk looks without an address
  --world WORLD    desktop, laptop, mac, workstation, link, or a JSON file
  --profile NAME   the generation of LM Studio, see below (default: current)
  --fault FAULT    a fault, by name or as JSON; may be repeated
  --speed X        load and generate X times faster
  --json           one JSON line for the address, then one for each frame
  --help           print this text

Profiles: ${PROFILE_NAMES.join(', ')}

Faults: ${FAULT_TYPES.join(', ')}
  as JSON: --fault '{"type":"crash-load","modelKey":"qwen/qwen3-8b","atProgress":0.7}'
`;

/** The output of the command line. */
export interface CliStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/**
 * Runs the command line.
 *
 * @returns the running simulator, or the exit status: 0 after `--help`, 1 where the port is not available,
 *   2 for wrong usage.
 */
export async function runCli(
  args: readonly string[],
  { out, err }: CliStreams,
): Promise<Simulator | number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        discoverable: { type: 'boolean', default: false },
        world: { type: 'string', default: 'desktop' },
        profile: { type: 'string', default: 'current' },
        fault: { type: 'string', multiple: true, default: [] },
        speed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      out(USAGE);
      return 0;
    }
    const options = {
      world: readWorld(values.world),
      profile: readProfile(values.profile),
      faults: values.fault.map(readFault),
      speed: readNumber('--speed', values.speed, 'above 0', (speed) => speed > 0),
      ...(values.host === undefined ? {} : { host: values.host }),
      ...(values.json
        ? { onFrame: (frame: SimulatedFrame) => out(`${JSON.stringify(frame)}\n`) }
        : {}),
    };
    const ports =
      values.port !== undefined
        ? [
            Math.trunc(
              readNumber(
                '--port',
                values.port,
                'from 0 to 65535',
                (port) => port >= 0 && port <= 65_535,
              ),
            ),
          ]
        : values.discoverable
          ? DISCOVERY_PORTS
          : [0];
    const simulator = await startOnFirstFree(ports, options);
    out(values.json ? `${JSON.stringify(describe(simulator))}\n` : greet(simulator));
    return simulator;
  } catch (error) {
    if (isSimulatorError(error)) {
      err(`lmstudio-simulator: ${error.message}\n`);
      return error.code === 'PORT_UNAVAILABLE' ? 1 : 2;
    }
    if (error instanceof UsageError || isParseArgsError(error)) {
      err(`lmstudio-simulator: ${error.message}\nTry: lmstudio-simulator --help\n`);
      return 2;
    }
    throw error;
  }
}

class UsageError extends Error {}

function isParseArgsError(error: unknown): error is Error {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  );
}

async function startOnFirstFree(
  ports: readonly number[],
  options: Omit<Parameters<typeof startSimulator>[0] & object, 'port'>,
): Promise<Simulator> {
  let refusal: unknown;
  for (const port of ports) {
    try {
      return await startSimulator({ ...options, port });
    } catch (error) {
      if (!isSimulatorError(error) || error.code !== 'PORT_UNAVAILABLE') throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function readWorld(value: string): WorldInput {
  if (isExampleWorldName(value)) return exampleWorld(value);
  let text: string;
  try {
    text = readFileSync(value, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `--world "${value}" is neither an example world nor a file that can be read.`,
      { cause },
    );
  }
  let world: unknown;
  try {
    world = JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const message = `${value} is not valid JSON: ${problem}. Correct it, or name another file.`;
    throw new SimulatorError('WORLD_INVALID', message, { cause });
  }
  return parseWorld(world);
}

function readProfile(value: string): ProfileName {
  if (isProfileName(value)) return value;
  throw new UsageError(
    `--profile "${value}" is not known. Use one of: ${PROFILE_NAMES.join(', ')}.`,
  );
}

// Defaults for faults that are given by name alone. The other faults need no defaults here.
const DEFAULT_FIGURES: Readonly<Record<string, object>> = {
  'shrink-context': { toTokens: 2048 },
  'slow-frames': { delayMs: 500 },
  restart: { downMs: 2000 },
  'slow-first-token': { delayMs: 30_000 },
};

function readFault(value: string): Fault {
  const fault = value.trimStart().startsWith('{')
    ? parseFault(value)
    : { type: value, ...DEFAULT_FIGURES[value] };
  assertFault(fault);
  return fault;
}

function parseFault(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--fault ${json} is not valid JSON: ${problem}.`, { cause });
  }
}

function readNumber(
  option: string,
  value: string,
  range: string,
  isInRange: (number: number) => boolean,
): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (!Number.isFinite(number) || !isInRange(number)) {
    throw new UsageError(`${option} must be a number ${range}, not "${value}".`);
  }
  return number;
}

function describe({ baseUrl, httpUrl, port, world }: Simulator): object {
  return {
    event: 'listening',
    baseUrl,
    httpUrl,
    port,
    machine: world.machine.name,
    models: world.models.map(({ modelKey }) => modelKey),
  };
}

function greet(simulator: Simulator): string {
  const { machine, models } = simulator.world;
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const gpus = machine.gpus.map((gpu) => `, ${gpu.name} (${gib(gpu.totalBytes)})`).join('');
  const width = Math.max(0, ...models.map(({ modelKey }) => modelKey.length));
  return [
    `LM Studio simulator on ${simulator.baseUrl}`,
    `  machine  ${machine.name}: ${gib(machine.ramBytes)} of RAM${gpus}`,
    ...models.map(({ modelKey, sizeBytes }, index) => {
      const label = index === 0 ? 'models ' : '       ';
      return `  ${label}  ${modelKey.padEnd(width)}  ${gib(sizeBytes).padStart(9)}`;
    }),
    'Stop it with Ctrl-C.',
    '',
  ].join('\n');
}
