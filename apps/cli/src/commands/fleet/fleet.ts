import { hostname } from 'node:os';
import path from 'node:path';
import {
  describeHosts,
  explainPlaced,
  type FleetView,
  initFleet,
  invite,
  join,
  leaveFleet,
  ownAddress,
  placementLogOf,
  readPlacements,
  removeHost,
  rotateKeys,
  spreadAllowList,
  toHostName,
  watchFleet,
  withFleetConnection,
} from '@mai/fleet';
import type { Host } from '@mai/host';
import type { Input } from '../../command-line/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { createLiveView } from '../../terminal/live-view.js';
import { fitToWindow, type Output, SCHEMA_VERSION } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { UsageError } from '../../usage-error.js';

/** Folder of the keys and the configuration of this machine's fleet. */
export function fleetFolderOf({ folders }: Host): string {
  return path.join(folders.data, 'fleet');
}

async function folderOf(context: CommandContext): Promise<string> {
  await using host = await openHostOf(context);
  return fleetFolderOf(host);
}

/** `mai fleet init`. */
export async function init(context: CommandContext, input: Input): Promise<ExitCode> {
  const address = input.text('address') ?? ownAddress();
  if (address === null) {
    throw new UsageError('This machine has no address in a network. Give one with --address.');
  }
  const host = nameOf(input);
  const natsPort = input.integer('nats-port', 1);
  const joinPort = input.integer('join-port', 1);
  const folder = await folderOf(context);
  if (input.has('dry-run')) {
    return tell(
      context,
      { dryRun: true, host, address },
      `Would make a fleet as ${host}, at ${address}.`,
    );
  }
  const made = await initFleet({
    ...{ folder, host, address, signal: context.signal },
    ...(natsPort === null ? {} : { natsPort }),
    ...(joinPort === null ? {} : { joinPort }),
  });
  return tell(
    context,
    { dryRun: false, address, ...made },
    `Made a fleet. This machine is ${host}, and nats-server runs at ${made.natsUrl}.\nStart \`mai serve --fleet\`, and add a machine with \`mai fleet invite\`.`,
  );
}

/** `mai fleet invite`. */
export async function inviteHost(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const named = input.text('host');
  const folder = await folderOf(context);
  await using opened = await invite({ folder, ...(named === null ? {} : { host: named }) });
  const { text, qrCode } = opened;
  if (output.json) printLine(output, { type: 'invitation', invitation: text });
  else {
    output.result(`${text}\n${input.has('qr') ? `${qrCode}\n` : ''}`);
    output.note('Run `mai fleet join` with this text on the new machine within ten minutes.');
  }
  const interrupted = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const end = await Promise.race([opened.ended, interrupted]);
  signal.throwIfAborted();
  if (end?.kind !== 'joined') {
    printLine(
      output,
      { type: 'ended', ended: end?.kind ?? null },
      `Nobody has joined: the invitation is ${end?.kind ?? 'withdrawn'}.`,
    );
    return EXIT.gateway;
  }
  await spreadAllowList(folder, signal);
  printLine(output, { type: 'joined', host: end.host }, `${end.host} has joined.`);
  return EXIT.success;
}

/** `mai fleet join INVITATION`. */
export async function joinFleet(context: CommandContext, input: Input): Promise<ExitCode> {
  const [invitation = ''] = input.positionals;
  const host = nameOf(input);
  const folder = await folderOf(context);
  if (input.has('dry-run')) {
    return tell(context, { dryRun: true, host }, `Would join the fleet as ${host}.`);
  }
  const joined = await join({ folder, invitation, host, signal: context.signal });
  return tell(
    context,
    { dryRun: false, ...joined },
    `This machine has joined the fleet as ${joined.host}. Start \`mai serve --fleet\`.`,
  );
}

/** `mai fleet status`, once or until Ctrl-C. */
export async function status(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  const folder = await folderOf(context);
  const view = input.has('watch') && !output.json ? createLiveView(output) : null;
  try {
    for await (const fleet of watchFleet(folder, signal)) {
      if (view !== null) view.show(render(fleet, fitToWindow(output)));
      else if (input.has('watch')) printLine(output, fleet);
      else {
        if (output.json) output.resultJson(fleet);
        else output.result(render(fleet, output));
        break;
      }
    }
  } finally {
    view?.close();
  }
  return EXIT.success;
}

function render(
  { hosts, ownHost, connected, fault, natsServers }: FleetView,
  output: Output,
): string {
  const { style } = output;
  const where = natsServers.join(', ');
  const link = connected
    ? style.good('connected')
    : style.bad(`not connected: ${fault ?? 'no answer'}`);
  const rows = describeHosts(hosts, ownHost).map(
    ({ host, usable, state, load, memory, ...rest }) => [
      style.bold(host),
      usable ? style.good(state) : style.caution(state),
      ...[load, memory, rest.residents.join(', '), rest.models],
    ],
  );
  const columns = ['HOST', 'STATE', 'LOAD', 'MEMORY', 'LOADED', 'MODELS'].map((header) => ({
    header,
    minWidth: 8,
  }));
  return `NATS  ${where}  ${link}\n${renderTable({ columns, rows, output })}`;
}

/** `mai fleet explain [REQUEST]`. */
export async function explain(context: CommandContext, input: Input): Promise<ExitCode> {
  const [id = null] = input.positionals;
  const [placed] = await readPlacements(placementLogOf(await folderOf(context)), { id });
  if (placed === undefined) {
    const which = id === null ? 'yet' : `with the identifier ${id}`;
    return tell(
      context,
      { placed: null },
      `No request was placed ${which}. \`mai serve --fleet\` writes the log.`,
    );
  }
  return tell(context, { placed, text: explainPlaced(placed).split('\n') }, explainPlaced(placed));
}

/** `mai fleet remove HOST`. */
export async function remove(context: CommandContext, input: Input): Promise<ExitCode> {
  const [host = ''] = input.positionals;
  const folder = await folderOf(context);
  const dryRun = input.has('dry-run');
  if (!dryRun) {
    await removeHost({ folder, host });
    await spreadAllowList(folder, context.signal);
  }
  return tell(
    context,
    { dryRun, removed: host },
    `${dryRun ? 'Would remove' : 'Removed'} ${host}.`,
  );
}

/** `mai fleet leave`. */
export async function leave(context: CommandContext, input: Input): Promise<ExitCode> {
  const folder = await folderOf(context);
  if (input.has('dry-run')) return tell(context, { dryRun: true }, 'Would leave the fleet.');
  const outcome = await withFleetConnection(folder, context.signal, (connection) =>
    leaveFleet({ folder, connection, endFleet: input.has('end-fleet'), signal: context.signal }),
  );
  if (outcome.kind === 'has-hosts') {
    throw new UsageError(
      `This machine made the fleet, and ${outcome.hosts.join(', ')} belong to it. Give --end-fleet to end it for all.`,
    );
  }
  return tell(context, { dryRun: false, ...outcome }, 'This machine has left the fleet.');
}

/** `mai fleet rotate`. */
export async function rotate(context: CommandContext, input: Input): Promise<ExitCode> {
  const folder = await folderOf(context);
  const dryRun = input.has('dry-run');
  if (!dryRun) {
    await withFleetConnection(folder, context.signal, (connection) =>
      rotateKeys({ folder, connection, signal: context.signal }),
    );
  }
  return tell(
    context,
    { dryRun },
    `${dryRun ? 'Would replace' : 'Replaced'} the key of this machine.`,
  );
}

function nameOf(input: Input): string {
  const given = input.text('host');
  const name = given ?? toHostName(hostname());
  if (name !== null) return name;
  throw new UsageError('The name of this machine has no letter or digit. Give one with --host.');
}

function tell({ output }: CommandContext, json: object, text: string): ExitCode {
  if (output.json) output.resultJson(json);
  else output.result(`${text}\n`);
  return EXIT.success;
}

/** One of several results: a line of JSON with --json, else a text. */
function printLine(output: Output, json: object, text?: string): void {
  if (output.json) output.result(`${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...json })}\n`);
  else if (text !== undefined) output.result(`${text}\n`);
}
