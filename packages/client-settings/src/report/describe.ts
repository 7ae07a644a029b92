import type { Client, Machine } from '../clients/client.js';
import type { GatewayAccess } from '../gateway-access.js';
import type { ClientStatus } from '../files/client-status.js';
import type { ConnectionPlan } from '../files/connection.js';
import { fileOf } from '../files/settings-place.js';
import type { UndoPlan } from '../files/undo.js';
import { editSettings } from '../formats/edit-settings.js';
import type { ProbeResult } from '../run-probe.js';
import { lineDiff } from './line-diff.js';

/** The settings of a client as text: the file, environment variables, and what a person does. Hides the API key. */
export async function describeClient(
  client: Client,
  access: GatewayAccess,
  machine: Machine,
): Promise<string> {
  const shown = { ...access, apiKey: access.apiKey === null ? null : 'YOUR-KEY' };
  const parts: string[] = [];
  const file = client.file === null ? null : await fileOf(client.file, machine);
  if (client.file !== null && file !== null) {
    const content = editSettings(client.file.format, '', client.file.settings(shown), file);
    parts.push(`In ${file}:\n\n${indent(content)}`);
  }
  const variables = Object.entries(client.environment(shown));
  if (variables.length > 0) {
    const lines = variables.map(([name, value]) => assignment(name, value, machine));
    parts.push(`Environment variables of ${client.title}:\n\n${indent(lines.join('\n'))}`);
  }
  const steps = client.steps(shown, file).map((step) => `- ${step}`);
  if (steps.length > 0) parts.push(steps.join('\n'));
  if (client.file !== null) {
    parts.push(
      `\`mai connect ${client.name} --write\` puts the file in place and keeps a copy of the old one.`,
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** A list of clients as text. */
export function describeStatuses(statuses: readonly ClientStatus[]): string {
  const rows = statuses.map(({ client, found, state, file, address }) => [
    client.name,
    found ? 'found' : 'not found',
    state === 'unknown' ? 'set by hand' : state,
    state === 'elsewhere' ? (address ?? '') : (file ?? ''),
  ]);
  const widths = [0, 1, 2].map((at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows
    .map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** A plan of `planConnection` as text. `done`: it was written. Hides the API key. */
export function describeConnection(
  { client, file, before, after, backup, restricts }: ConnectionPlan,
  access: GatewayAccess,
  done: boolean,
): string {
  const privacy = `Only the owner of the file ${done ? 'can read it now' : 'will be able to read it'}, because it contains an API key.\n`;
  const readers = restricts ? privacy : '';
  if (before === after) return `${client.title} is connected already: ${file}\n${readers}`;
  if (!done) return `${file}\n${hideKey(lineDiff(before ?? '', after), access)}\n${readers}`;
  const copy = backup === null ? '' : ` The file as it was: ${backup}`;
  const steps = client.steps(access, file).map((step) => `- ${step}\n`);
  return `Wrote ${file}.${copy}\n${readers}${hideKey(steps.join(''), access)}`;
}

/** A plan of `planUndo` as text. `done`: it was written. */
export function describeUndo(
  { client, file, connected, changedSince, before, after, left }: UndoPlan,
  access: GatewayAccess,
  done: boolean,
): string {
  if (!connected) return `${file} was not written by mai, so there is nothing to take back.\n`;
  const lines = done ? [] : [file, hideKey(lineDiff(before ?? '', after ?? ''), access)];
  if (changedSince) {
    lines.push(
      `${file} was changed after mai had written it, so only mai's own settings are removed.`,
    );
  }
  if (left.length > 0)
    lines.push(`Left as they are, because they were changed: ${left.join(', ')}.`);
  if (done)
    lines.push(
      before === null
        ? `${file} is gone already.`
        : outcomeOf(client.title, file, changedSince, after),
    );
  return `${lines.join('\n')}\n`;
}

function outcomeOf(
  title: string,
  file: string,
  changedSince: boolean,
  after: string | null,
): string {
  if (after === null) return `Removed ${file}, which did not exist before.`;
  if (changedSince) return `Removed mai's settings of ${title} from ${file}.`;
  return `Restored ${file} as it was before.`;
}

/** The results of `testClient` as text. */
export function describeProbes(results: readonly ProbeResult[]): string {
  return results
    .map(({ ok, title, request, status, detail, model, durationMs }) => {
      const by = model === null ? '' : `, answered by ${model}`;
      const seconds = (durationMs / 1000).toFixed(1);
      return `${ok ? 'ok     ' : 'FAILED '} ${title} (${request}): ${status === null ? '' : `${status}, `}${detail}${by}, ${seconds} s\n`;
    })
    .join('');
}

function assignment(name: string, value: string, { platform }: Machine): string {
  return platform === 'win32' ? `setx ${name} "${value}"` : `export ${name}='${value}'`;
}

function hideKey(text: string, { apiKey }: GatewayAccess): string {
  return apiKey === null ? text : text.replaceAll(apiKey, 'YOUR-KEY');
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}
