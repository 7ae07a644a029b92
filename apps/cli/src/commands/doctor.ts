import { plural, type Check, padEnd, wrap, wrapBehind } from '@mai/host';
import { checkFleet } from '@mai/fleet';
import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { fleetFolderOf, openHostOf } from '../open-host.js';

/** `mai doctor`: every check, and how to fix its problem. Exit code 9 if there is a fault. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  await using host = await openHostOf(context);
  const version = `Version ${io.version} on Node ${process.version}, ${io.platform} ${process.arch}.`;
  const checks: readonly Check[] = [
    { name: 'mai', state: 'ok', message: version, mend: null },
    ...(await host.doctor({ measure: input.has('measure') })),
    ...(await checkFleet(fleetFolderOf(host), context.signal)),
  ];
  const faults = checks.filter(({ state }) => state === 'fault').length;
  if (output.json) output.resultJson({ healthy: faults === 0, checks });
  else output.result(render(checks, context));
  return faults === 0 ? EXIT.success : EXIT.fault;
}

function render(checks: readonly Check[], { output }: CommandContext): string {
  const { style, unicode } = output;
  const marks = {
    ok: style.good(unicode ? '✓' : 'ok'),
    warning: style.caution(unicode ? '!' : '!!'),
    fault: style.bad(unicode ? '✗' : 'xx'),
  };
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const markWidth = unicode ? 4 : 5;
  const indent = ' '.repeat(markWidth + nameWidth + 2);
  const lines = checks.flatMap(({ name, state, message, mend }) => {
    const label = `${padEnd(`  ${marks[state]}`, markWidth)}${style.bold(padEnd(name, nameWidth))}  `;
    const fix = mend === null ? [] : wrap(`To fix it: ${mend}`, output.textWidth - indent.length);
    return [
      ...wrapBehind(label, message, output.textWidth),
      ...fix.map((line) => indent + style.accent(line)),
    ];
  });
  const bad = checks.filter(({ state }) => state === 'fault').length;
  const warnings = checks.filter(({ state }) => state === 'warning').length;
  const verdict =
    bad > 0
      ? style.bad(`${plural(bad, 'fault')} to fix.`)
      : warnings > 0
        ? style.caution(`No fault, ${plural(warnings, 'warning')}.`)
        : style.good('Everything is fine.');
  return `${lines.join('\n')}\n\n${verdict}\n`;
}
