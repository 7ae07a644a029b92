import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { ScriptedMachine, type MachineOptions } from './scripted-machine.js';

const ROOT = path.join(__dirname, '..', '..');
const DOCUMENT = path.join(ROOT, '..', '..', 'packages', 'gateway', 'openapi.json');

test('the types of the page are those of the checked-in OpenAPI document', () => {
  execFileSync(process.execPath, [path.join(ROOT, 'tools', 'generate-api-types.mjs'), '--check']);
});

describe.each<MachineOptions>([{}, { lmStudioOff: true }, { nothing: true }, { noFleet: true }])(
  'a scripted machine with %p answers as the document says',
  (options) => {
    const machine = new ScriptedMachine(options);
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(JSON.parse(readFileSync(DOCUMENT, 'utf8')), 'api');
    const problemsOf = (schema: string, value: unknown) => {
      ajv.validate({ $ref: `api#/components/schemas/${schema}` }, value);
      return ajv.errors;
    };

    test.each<[string, () => unknown]>([
      ['Status', () => machine.status()],
      ['Models', () => machine.models()],
      ['History', () => machine.history()],
      ['Queue', () => machine.queue()],
      ['Fleet', () => machine.fleet()],
      ['Decisions', () => machine.decisions(new URLSearchParams())],
      ['WhatIf', () => machine.whatIf(new URLSearchParams({ model: 'qwen/qwen3-8b' }))],
      ['Change', () => machine.change('load', { model: 'qwen/qwen3-8b', dryRun: true })],
      ['Change', () => machine.change('yield', { bytes: 5, dryRun: true })],
      ['Change', () => machine.change('pin', { target: 'qwen/qwen3-8b' })],
    ])('%s', (schema, answer) => {
      expect(problemsOf(schema, answer())).toBeNull();
    });

    test('Explanation and Event', () => {
      for (const { id } of machine.decisions(new URLSearchParams()).decisions) {
        expect(problemsOf('Explanation', machine.decision(id))).toBeNull();
      }
      const seen: unknown[] = [];
      machine.onEvent((event) => seen.push(event));
      machine.sample();
      machine.switchTo('qwen/qwen3-8b', 'YIELD', 'Text');
      machine.wait(1);
      machine.changeFleet((fleet) => fleet);
      expect(seen).toHaveLength(5);
      for (const event of seen) expect(problemsOf('Event', event)).toBeNull();
    });
  },
);
