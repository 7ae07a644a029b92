import type { CommandContext } from '../context.js';
import type { Check } from '../doctor/check.js';
import { checkChains, checkConfig } from '../doctor/check-config.js';
import { checkConnection, checkRuntime } from '../doctor/check-lmstudio.js';
import { checkMachine } from '../doctor/check-machine.js';
import { ok, warning } from '../doctor/check.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { padEnd, wrap } from '../terminal/text.js';

/** `mai doctor`: every check with how to mend what it found; 9 where something can't work. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const checks = await runChecks(context);
  const faults = checks.filter(({ state }) => state === 'fault').length;
  if (output.json) output.resultJson({ healthy: faults === 0, checks });
  else output.result(render(checks, context));
  return faults === 0 ? EXIT.success : EXIT.fault;
}

async function runChecks(context: CommandContext): Promise<readonly Check[]> {
  const { io, signal } = context;
  const { link, checks: connection } = await checkConnection(context);
  const { libraryOf } = await import('../compose/knowledge.js');
  const client = link?.kind === 'on' ? link.client : null;
  try {
    const [{ config, check }, machine, runtime, library] = await Promise.all([
      checkConfig(context),
      checkMachine(context, client),
      client === null ? [] : checkRuntime(client, signal),
      link === null ? null : libraryOf(link, context),
    ]);
    return [
      ok(
        'mai',
        `Version ${io.version} on Node ${process.version}, ${io.platform} ${process.arch}.`,
      ),
      ...connection,
      ...runtime,
      ...machine,
      check,
      ...(config === null || library === null ? [] : [checkChains(config, library.models)]),
      ...(library?.incomplete ?? []).map(({ path, why }) =>
        warning('Download', `${path}: ${why}.`, 'Finish or remove the download in LM Studio.'),
      ),
      ...(library?.unreadable ?? []).map(({ path, code }) =>
        warning('Folder', `${path} can't be read (${code}).`, 'Check its permissions.'),
      ),
    ];
  } finally {
    await client?.close();
  }
}

function render(checks: readonly Check[], { output }: CommandContext): string {
  const { style, unicode } = output;
  const marks = {
    ok: style.good(unicode ? '✓' : 'ok'),
    warning: style.caution(unicode ? '!' : '!!'),
    fault: style.bad(unicode ? '✗' : 'xx'),
  };
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(nameWidth + 6);
  const lines = checks.flatMap(({ name, state, message, mend }) => {
    const width = output.textWidth - indent.length;
    const [first = '', ...rest] = wrap(message, width);
    return [
      `${padEnd(`  ${marks[state]}`, 4)}${style.bold(padEnd(name, nameWidth))}  ${first}`,
      ...rest.map((line) => indent + line),
      ...(mend === null ? [] : wrap(`To mend it: ${mend}`, width)).map(
        (line) => indent + style.accent(line),
      ),
    ];
  });
  const bad = checks.filter(({ state }) => state === 'fault').length;
  const soso = checks.filter(({ state }) => state === 'warning').length;
  const verdict =
    bad > 0
      ? style.bad(`${bad} ${bad === 1 ? 'thing needs' : 'things need'} mending.`)
      : soso > 0
        ? style.caution(`Nothing is broken; ${soso} ${soso === 1 ? 'remark' : 'remarks'}.`)
        : style.good('Everything is fine.');
  return `${lines.join('\n')}\n\n${verdict}\n`;
}
