import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describeFields } from '../src/format/field-help.js';
import { SWITCHING_DEFAULTS } from '../src/format/switching-defaults.js';
import { writeFileTypes, writeModelsYaml, writeReadme } from './write-help.js';

const project = path.join(__dirname, '..');

describe('the help texts of the fields', () => {
  it.each([
    ['../../config/models.yaml', writeModelsYaml],
    ['README.md', writeReadme],
    ['src/format/model-config-file.ts', writeFileTypes],
  ])('are those in %s', (name, write) => {
    const text = readFileSync(path.join(project, name), 'utf8');
    expect(write(text)).toBe(text);
  });

  it('are written into each of these files', () => {
    const [hardLimit] = describeFields('SwitchingSection').filter(
      ({ name }) => name === 'hard_limit_percent',
    );
    for (const [name, write] of [
      ['../../config/models.yaml', writeModelsYaml],
      ['README.md', writeReadme],
      ['src/format/model-config-file.ts', writeFileTypes],
    ] as const) {
      const text = readFileSync(path.join(project, name), 'utf8');
      const outdated = text.replace('memory is about to run out', 'nothing happens');
      expect(outdated).not.toBe(text);
      expect(write(outdated).replaceAll(/\s*\n *(#|\*)? */g, ' ')).toContain(
        hardLimit?.description ?? 'no description',
      );
    }
  });

  it('cover every field of switching, with its current default', () => {
    expect(
      Object.fromEntries(describeFields('SwitchingSection').map((one) => [one.name, one.default])),
    ).toEqual(SWITCHING_DEFAULTS);
  });
});
