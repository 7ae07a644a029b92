import * as settings from '@mai/client-settings';
import { formatDuration } from '@mai/host';
import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';

/** `mai connect [CLIENT]`: prints, writes, takes back or tests the settings of a client of the gateway. */
export async function run(
  { io, output, signal, globals }: CommandContext,
  input: Input,
): Promise<ExitCode> {
  const keyFile = input.text('key-file');
  const access = await settings.gatewayAccess({
    url: input.text('gateway'),
    model: input.text('model'),
    keyFile,
  });
  const [name] = input.positionals;
  const actions = ['write', 'undo', 'test'].filter((action) => input.has(action));
  const dryRun = input.has('dry-run');
  if (actions.length > 1) throw new UsageError(`--${actions.join(' and --')} exclude each other.`);
  if (name === undefined) {
    const all = await Promise.all(
      settings.CLIENTS.map((client) => settings.statusOf(client, access, io)),
    );
    const clients = all.map(({ client, ...status }) => ({ client: client.name, ...status }));
    return print({ gateway: access.url, clients }, settings.describeStatuses(all));
  }
  const client = settings.findClient(name);
  if (actions[0] === 'test') {
    const results = await settings.testClient(client, access, {
      signal,
      timeoutMs: globals.timeoutMs,
      onRequest: ({ title, request, timeoutMs }) =>
        output.note(`Waiting for ${request} (${title}), ${formatDuration(timeoutMs)} at most.`),
    });
    const ok = results.every((result) => result.ok);
    print({ client: name, gateway: access.url, ok, results }, settings.describeProbes(results));
    return ok ? EXIT.success : EXIT.fault;
  }
  if (actions[0] === 'undo') {
    const plan = await settings.planUndo(client, io);
    if (!dryRun) await settings.writeUndo(plan);
    const { file, connected, changedSince, left } = plan;
    const json = { client: name, dryRun, file, connected, changedSince, left };
    return print(json, settings.describeUndo(plan, access, !dryRun));
  }
  if (actions[0] === 'write' || dryRun) {
    const plan = await settings.planConnection(client, access, io);
    if (!dryRun) await settings.writeConnection(plan);
    const { file, backup, before, after, restricts } = plan;
    const changed = before !== after || restricts;
    const json = { client: name, dryRun, file, backup, changed };
    return print(json, settings.describeConnection(plan, access, !dryRun));
  }
  const text = await settings.describeClient(client, access, io);
  return print({ client: name, gateway: access.url, text }, text);

  function print(json: object, text: string): ExitCode {
    if (output.json) output.resultJson(json);
    else output.result(text);
    return EXIT.success;
  }
}
