import type { sections } from '../src/format/file-schema.js';
import { describeFields, type DescribedField } from '../src/format/field-help.js';
import {
  chainHelp,
  modelHelp,
  optionalSections,
  switchingSection,
  wrap,
} from '../src/render/help-comments.js';

// Writes the help texts of src/format/file-schema.ts into the hand-written files that repeat
// them. Each function takes the text of a file and returns the text with the current help texts.

type SectionName = keyof typeof sections;

const SECTION_NAMES: readonly SectionName[] = [
  'ModelConfigFile',
  'ModelSection',
  'LoadSection',
  'SimulateSection',
  'SimulateRungSection',
  'SwitchingSection',
  'FleetSection',
  'GuestsSection',
];

/** Writes the comments of `config/models.yaml` that explain fields, and its section `switching`. */
export function writeModelsYaml(text: string): string {
  const withModelHelp = replaceBetween(
    text,
    '# The fields of a model. Only key is required:\n#\n',
    '#\n# category, min_memory_gb,',
    modelHelp(),
  );
  const chains = replaceBetween(
    withModelHelp,
    '\n\n# Lists of model keys',
    '\nfallback_chains:\n',
    chainHelp(),
    { keepStart: '\n\n', keepEnd: '\nfallback_chains:\n' },
  );
  const end = chains.indexOf('\n\n# When to switch');
  if (end < 0)
    throw new Error('config/models.yaml has no comment that begins with "When to switch".');
  return [
    `${chains.slice(0, end)}\n`,
    ...switchingSection(),
    '',
    ...optionalSections('qwen/qwen3-4b-2507'),
    '',
  ].join('\n');
}

/** Writes the tables of the fields into the README. */
export function writeReadme(text: string): string {
  const models = [
    ...describeFields('ModelSection').filter(({ name }) => name !== 'load' && name !== 'simulate'),
    ...nested('load', 'LoadSection'),
    ...nested('simulate', 'SimulateSection'),
  ];
  const withModels = replaceBetween(
    text,
    '<!-- models -->\n\n',
    '\n\n<!-- /models -->',
    table([
      ['field', 'value'],
      ...models.map(({ name, description }) => [`\`${name}\``, description]),
    ]),
  );
  const withFleet = replaceBetween(
    withModels,
    '<!-- fleet -->\n\n',
    '\n\n<!-- /fleet -->',
    table([
      ['field', 'value'],
      ...[
        ...describeFields('FleetSection').filter(({ name }) => name !== 'guests'),
        ...nested('guests', 'GuestsSection'),
      ].map((field) => [
        `\`${field.name}\``,
        field.default === null
          ? field.description
          : `${field.description} Default: ${field.default}.`,
      ]),
    ]),
  );
  return replaceBetween(
    withFleet,
    '<!-- switching -->\n\n',
    '\n\n<!-- /switching -->',
    table([
      ['field', 'default', 'value'],
      ...describeFields('SwitchingSection').map((field) => [
        `\`${field.name}\``,
        `\`${field.default}\``,
        field.description,
      ]),
    ]),
  );
}

/** Writes the JSDoc of the fields into `model-config-file.ts`. */
export function writeFileTypes(text: string): string {
  let fields: readonly DescribedField[] = [];
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^export interface (\w+) \{$/.exec(line)?.[1];
    const section = SECTION_NAMES.find((one) => one === name);
    if (section !== undefined) fields = describeFields(section);
    const declared = /^ {2}readonly (\w+)\??:/.exec(line)?.[1];
    const field = fields.find((one) => one.name === declared);
    if (field !== undefined) {
      while (/^ {2}( \*|\/\*\*)/.test(lines.at(-1) ?? '')) lines.pop();
      lines.push(...jsDoc(field));
    }
    lines.push(line);
  }
  return lines.join('\n');
}

function jsDoc({ description, default: value }: DescribedField): string[] {
  const text = value === null ? description : `${description} Default: ${value}.`;
  const onOneLine = `  /** ${text} */`;
  if (onOneLine.length <= 100) return [onOneLine];
  return ['  /**', ...wrap(text, 94).map((line) => `   * ${line}`), '   */'];
}

function nested(parent: string, section: SectionName): DescribedField[] {
  return describeFields(section).map((field) => ({ ...field, name: `${parent}.${field.name}` }));
}

/** A Markdown table, padded as prettier does it. The first row is the heading. */
function table(rows: readonly (readonly string[])[]): string[] {
  const [heading = []] = rows;
  const widths = heading.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(heading), rule, ...rows.slice(1).map(line)];
}

/**
 * The text with the lines between two marks replaced. `keepStart` and `keepEnd` are written where the marks
 * were. Default: the marks themselves.
 */
function replaceBetween(
  text: string,
  start: string,
  end: string,
  lines: readonly string[],
  { keepStart = start, keepEnd = end }: { keepStart?: string; keepEnd?: string } = {},
): string {
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${JSON.stringify(start)} is not in the text.`);
  const before = text.slice(0, from) + keepStart;
  // Ends the last line, unless `keepEnd` begins with a line break.
  const gap = keepEnd.startsWith('\n') ? '' : '\n';
  return before + lines.join('\n') + gap + keepEnd + text.slice(to + end.length);
}
