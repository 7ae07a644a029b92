import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import { EXAMPLE } from '../../test/example-file.js';
import { builtInFile } from '../built-in/built-in-file.generated.js';
import type { ParsedFile } from './file-schema.js';
import { modelConfigJsonSchema } from './json-schema.js';
import type { ModelConfigFile } from './model-config-file.js';
import { validateFile } from '../parse/validate-file.js';

const published: object = JSON.parse(
  readFileSync(path.join(__dirname, '..', '..', 'schema.json'), 'utf8'),
);
const accepts = new Ajv({ allErrors: true, strict: false }).compile(published);

// These two functions compile only while the published types and the validating schema agree.
const toInterface: (file: ParsedFile) => ModelConfigFile = (file) => file;
void toInterface;
type Mutable<Value> = Value extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> }
    : Value;
const toSchema: (file: Mutable<ModelConfigFile>) => ParsedFile = (file) => file;
void toSchema;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isHolder = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null;

describe('the published JSON Schema', () => {
  it('is generated from the schema that validates', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(modelConfigJsonSchema())));
  });

  it('describes every field', () => {
    const undescribed: string[] = [];
    const visit = (node: unknown, where: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, held] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [field, schema] of Object.entries(isMap(held) ? held : {})) {
            if (!isMap(schema) || !('description' in schema)) undescribed.push(`${where}.${field}`);
          }
        }
        visit(held, `${where}.${key}`);
      }
    };
    visit(published, '');
    expect(undescribed.filter((field) => !/kv_cache.*\.[kv]$/.test(field))).toEqual([]);
  });

  it('accepts the built-in configuration and a file with every field', () => {
    const example: unknown = parse(EXAMPLE);
    for (const file of [builtInFile, example]) {
      accepts(file);
      expect(accepts.errors).toBeNull();
    }
  });

  it('accepts the same files as the validation, for random changes to a file', () => {
    const original: Record<string, unknown> = parse(EXAMPLE);
    const paths: (string | number)[][] = [];
    const collect = (value: unknown, at: (string | number)[]): void => {
      paths.push(at);
      if (Array.isArray(value))
        value.forEach((held, index) => {
          collect(held, [...at, index]);
        });
      else if (typeof value === 'object' && value !== null) {
        for (const [key, held] of Object.entries(value)) collect(held, [...at, key]);
      }
    };
    collect(original, []);
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        0,
        1,
        -1,
        0.5,
        1.5,
        100,
        100.5,
        1e9 + 1,
        '',
        ' ',
        'max',
        'off',
        'q8_0',
        'small',
        'chat',
        '20s',
        '0s',
        '0.1ms',
        '1h30m',
        '20',
        '1GiB',
        '8 GB',
        '1 GiBs',
        'chain:x',
        'downloaded:chat',
        ' a',
        [],
        [[]],
        {},
        { k: 'f16' },
        { k: 'f16', v: 'f16' },
        ['chat'],
        { footprint: '1GiB', quality: 1 },
      ),
      fc.jsonValue(),
    );
    const change = fc.tuple(
      fc.constantFrom(...paths),
      fc.constantFrom('set', 'remove', 'add'),
      value,
    );
    fc.assert(
      fc.property(change, ([at, kind, replacement]) => {
        const file: Record<string, unknown> = structuredClone({ file: original });
        let holder: Record<string | number, unknown> = file;
        const steps = ['file', ...at];
        for (const step of steps.slice(0, -1)) {
          const held = holder[step];
          if (!isHolder(held)) throw new Error(`The example has nothing at ${steps.join('.')}.`);
          holder = held;
        }
        const last = steps.at(-1) ?? '';
        if (kind === 'remove' && Array.isArray(holder)) holder.splice(Number(last), 1);
        else if (kind === 'remove' && holder !== file) delete holder[last];
        else if (kind === 'add' && isMap(holder[last])) {
          holder[last]['extra'] = replacement;
        } else holder[last] = replacement;
        expect([JSON.stringify(file['file']), accepts(file['file'])]).toEqual([
          JSON.stringify(file['file']),
          validateFile(file['file']).value !== null,
        ]);
      }),
      { numRuns: 3000 },
    );
  });
});
