import { benchCells, benchNotes } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { errorJson, EXIT, type ExitCode, knownError } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { renderTable } from '../../terminal/table.js';

/** `mai bench [KEY...]`: measured speeds beside the predictions. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { output } = context;
  await using host = await openHostOf(context);
  const progress = output.progress('Measuring', null);
  const results = await host
    .bench({ modelKeys: input.positionals }, { onProgress: ({ ratio }) => progress.update(ratio) })
    .finally(progress.clear);
  if (output.json) {
    const entries = results.map(({ failure, ...result }) => ({
      ...result,
      failure: failure === null ? null : errorJson(failure),
    }));
    output.resultJson({ results: entries });
  } else {
    const rows = benchCells(results).map((cells) => Object.values<string>({ ...cells }));
    const headers = ['MODEL', 'FIGURE', 'PREDICTED', 'MEASURED', 'ERROR', 'PREDICTED NOW'];
    output.result(renderTable({ columns: headers.map((header) => ({ header })), rows, output }));
    for (const note of benchNotes(results)) output.note(note);
    if (input.positionals.length === 0)
      output.note('`mai bench KEY...` measures the models that you name; `mai models` lists them.');
  }
  // A model that could not be measured does not hide the results of the others.
  if (results.some(({ failure }) => failure === null)) return EXIT.success;
  return knownError(results[0]?.failure)?.exitCode ?? EXIT.probe;
}
