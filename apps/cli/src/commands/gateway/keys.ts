import path from 'node:path';
import { addKey, readKeyFile, removeKey, SCOPES } from '@mai/gateway';
import { formatMoment, type Host } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { renderTable } from '../../terminal/table.js';
import { UsageError } from '../../usage-error.js';

/** `mai keys [add|remove NAME]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const file = keysFileOf(host, context, input);
  const [action, name] = input.positionals;
  const dryRun = input.has('dry-run');
  if (action === undefined) {
    await list(file, context);
    return EXIT.success;
  }
  if (name === undefined) {
    throw new UsageError(`Name the key: \`mai keys ${action} NAME\`.`);
  }
  if (action === 'remove') {
    const { keys } = await readKeyFile(file);
    if (!keys.some((key) => key.name === name)) {
      throw new UsageError(`There is no key ${JSON.stringify(name)}. \`mai keys\` lists the keys.`);
    }
    if (!dryRun) await removeKey(file, name);
    if (output.json) output.resultJson({ dryRun, removed: name });
    else output.result(`${dryRun ? 'Would remove' : 'Removed'} the key ${name}.\n`);
    return EXIT.success;
  }
  const scopes = input.listOf('scopes', SCOPES) ?? ['inference'];
  const key = { name, scopes, priority: input.integer('priority', 0) ?? 0 };
  const text = dryRun ? null : await addKey(file, key, io.nowMs());
  if (output.json) output.resultJson({ dryRun, ...key, key: text });
  else if (text === null) output.result(`Would make the key ${name} (${scopes.join(', ')}).\n`);
  else {
    output.result(`${text}\n`);
    output.note('Keep this key: only its hash is stored, so it is not shown again.');
  }
  return EXIT.success;
}

async function list(file: string, { output }: CommandContext): Promise<void> {
  const { keys } = await readKeyFile(file);
  if (output.json) {
    // Named one by one, so that no further field of the file is shown by accident.
    const shown = keys.map(({ name, scopes, priority, createdMs }) => ({
      name,
      scopes,
      priority,
      createdMs,
    }));
    output.resultJson({ file, keys: shown });
    return;
  }
  if (keys.length === 0) {
    output.result('There is no API key. `mai keys add NAME` makes one.\n');
    return;
  }
  const rows = keys.map(({ name, scopes, priority, createdMs }) => [
    name,
    scopes.join(', '),
    String(priority),
    formatMoment(createdMs),
  ]);
  const columns = ['name', 'scopes', 'priority', 'made'].map((header) => ({ header }));
  output.result(renderTable({ columns, rows, output }));
}

/** The file with the API keys of the gateway. */
export function keysFileOf(host: Host, { io }: CommandContext, input: Input): string {
  const given = input.text('keys');
  return given === null
    ? path.join(host.folders.config, 'gateway-keys.json')
    : path.resolve(io.cwd, given);
}
