import { describeFields } from '../format/field-help.js';

// Comments of a models.yaml that explain its fields. scripts/generate.mjs writes the same comments into
// config/models.yaml.

const WIDTH = 100;

/** Comment lines that explain the fields of a model, including `load`. */
export function modelHelp(): string[] {
  const fields = describeFields('ModelSection').flatMap(({ name, description }) =>
    name === 'load'
      ? [
          { name, description },
          ...describeFields('LoadSection').map((field) => ({
            name: `  ${field.name}`,
            description: field.description,
          })),
        ]
      : [{ name, description }],
  );
  const nameWidth = Math.max(...fields.map(({ name }) => name.length));
  return fields.flatMap(({ name, description }) =>
    wrap(description, WIDTH - nameWidth - 6).map(
      (line, index) => `#   ${(index === 0 ? name : '').padEnd(nameWidth)}  ${line}`,
    ),
  );
}

/** Comment lines that explain fallback chains. */
export function chainHelp(): string[] {
  const { description } = fieldOf('fallback_chains');
  return wrap(description, WIDTH - 2).map((line) => `# ${line}`);
}

/** The section `switching` with all defaults, each field below its explanation. */
export function switchingSection(): string[] {
  return [
    '# When to switch to another model. These are the defaults. Percentages are shares of the total.',
    'switching:',
    ...describeFields('SwitchingSection').flatMap(({ name, description, default: value }) => [
      ...wrap(description, WIDTH - 4).map((line) => `  # ${line}`),
      `  ${name}: ${value}`,
    ]),
  ];
}

/** Comment lines with an example of the sections that a rendered file leaves out. */
export function optionalSections(pinnedKey: string): string[] {
  return [
    `# ${fieldOf('rules').description}`,
    '#',
    '# rules:',
    '#   - when: { process: blender }',
    '#     then: { tier: small }',
    '#',
    `# ${fieldOf('pins').description}`,
    '#',
    `# pins: [${pinnedKey}]`,
    '#',
    ...wrap(fieldOf('model_folders').description, WIDTH - 2).map((line) => `# ${line}`),
    '#',
    '# model_folders: [~/models]',
    '#',
    `# ${fieldOf('gateway').description}`,
    ...describeFields('GatewaySection').flatMap(({ description }) =>
      wrap(description, WIDTH - 2).map((line) => `# ${line}`),
    ),
    '#',
    '# gateway:',
    '#   aliases:',
    '#     claude-*-haiku*: auto:small',
    '#     gpt-*: auto',
    '#',
    ...wrap(fieldOf('fleet').description, WIDTH - 2).map((line) => `# ${line}`),
    '#',
    '# fleet:',
    '#   labels: { site: attic }',
    '#   chains: [default]',
    '#   guests: { memory_percent: 50, hours: 22:00-07:00 }',
    '#',
    ...wrap(fieldOf('runtime').description, WIDTH - 2).map((line) => `# ${line}`),
    '#',
    '# runtime: embedded',
  ];
}

function fieldOf(name: string): { readonly description: string } {
  const field = describeFields('ModelConfigFile').find((one) => one.name === name);
  if (field === undefined) throw new Error(`The file has no field ${name}.`);
  return field;
}

/** A text in lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
