import {
  describeConnection,
  describeHosts,
  type FleetCommandName,
  type FleetResult,
  type FleetView,
  runFleetCommand,
  watchFleet,
} from '@mai/fleet';
import { createLiveView, wrap } from '@mai/host';
import type { RunCommand } from '../../arguments/command-spec.js';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { fleetFolderOf, openHostOf } from '../../open-host.js';
import { fitToWindow, type Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';

/** The commands of `mai fleet` that end by themselves. A command can print a first result before its last one. */
export const commandOf =
  (name: FleetCommandName): RunCommand =>
  async (context, input) => {
    const { output, signal } = context;
    await using host = await openHostOf(context);
    let isLines = false;
    const printLine = ({ json, text }: FleetResult): void => {
      isLines = true;
      if (output.json) output.lineJson(json);
      else output.result(`${text}\n`);
    };
    const result = await runFleetCommand(name, {
      folder: fleetFolderOf(host),
      signal,
      dryRun: input.has('dry-run'),
      argument: input.positionals[0] ?? null,
      host: input.text('host'),
      address: input.text('address'),
      natsPort: input.port('nats-port', 1),
      routePort: input.port('route-port', 1),
      joinPort: input.port('join-port', 1),
      cluster: input.list('cluster'),
      server: input.text('server'),
      endFleet: input.has('end-fleet'),
      show: printLine,
    });
    if (isLines || !output.json) printLine(result);
    else output.resultJson(result.json);
    return EXIT.success;
  };

/** `mai fleet status`, once or until Ctrl-C. */
export async function status(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output, signal } = context;
  await using host = await openHostOf(context);
  const isLive = input.has('watch');
  const view = isLive && !output.json ? createLiveView(output) : null;
  try {
    for await (const fleet of watchFleet(fleetFolderOf(host), {
      signal,
      facts: host,
      warn: output.warn,
    })) {
      if (view !== null) view.show(render(fleet, fitToWindow(output)));
      else if (isLive) output.lineJson(fleet);
      else if (output.json) output.resultJson(fleet);
      else output.result(render(fleet, output));
      if (!isLive) break;
    }
  } finally {
    view?.close();
  }
  return EXIT.success;
}

function render(fleet: FleetView, output: Output, { style } = output): string {
  const { connected, natsServers } = fleet;
  const link = (connected ? style.good : style.bad)(describeConnection(fleet));
  const rows = describeHosts(fleet).map((one) => [
    style.bold(one.host),
    one.usable ? style.good(one.state) : style.caution(one.state),
    one.load,
    one.memory,
    one.residents.join(', '),
    one.models,
  ]);
  const headers = ['HOST', 'STATE', 'LOAD', 'MEMORY', 'LOADED', 'MODELS'];
  const columns = headers.map((header) => ({ header, minWidth: 8 }));
  const head = wrap(`NATS  ${natsServers.join(', ')}  ${link}`, output.textWidth).join('\n');
  return `${head}\n${renderTable({ columns, rows, output })}`;
}
