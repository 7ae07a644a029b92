import { ask } from '../../test/ask.js';
import { LOADED } from '../../test/fakes/fake-machine.js';
import { serveControl, type ControlWorld } from '../../test/worlds/serve-control.js';
import { openApiDocument } from './openapi/document.js';

/** A text field of a request: where it stands, and a request that has it and is otherwise complete. */
interface TextField {
  readonly what: string;
  readonly schema: TextSchema;
  /** Whether it stands in a body. A URL cannot hold half a character. */
  readonly inBody: boolean;
  readonly send: (url: string, text: string) => ReturnType<typeof ask>;
}

interface TextSchema {
  readonly type?: unknown;
  readonly enum?: unknown;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly anyOf?: readonly TextSchema[];
}

/* eslint-disable @typescript-eslint/no-explicit-any -- the document is JSON of any form */
const document: any = openApiDocument();

/** Fields without which a request is refused for another reason. */
const NEEDED: Readonly<Record<string, object>> = {
  LoadRequest: { model: LOADED },
  UnloadRequest: { target: LOADED },
  PinRequest: { target: LOADED },
  YieldRequest: { bytes: 1 },
};
const NEEDED_QUERY: Readonly<Record<string, string>> = { '/api/mai/what-if': `model=${LOADED}` };

/** The schema of the texts that a field takes; null where it takes none, or a choice of words. */
function textSchemaOf(schema: TextSchema): TextSchema | null {
  const found = schema.anyOf?.find(({ type }) => type === 'string') ?? schema;
  return found.type === 'string' && found.enum === undefined ? found : null;
}

const fields: readonly TextField[] = Object.entries<any>(document.paths).flatMap(
  ([path, methods]) =>
    Object.entries<any>(methods).flatMap(([method, operation]): TextField[] => {
      const $ref: string | undefined =
        operation.requestBody?.content['application/json'].schema.$ref;
      const name = $ref?.split('/').at(-1) ?? '';
      const properties = document.components.schemas[name]?.properties ?? {};
      const inBody = Object.entries<TextSchema>(properties).flatMap(([field, schema]) => {
        const text = textSchemaOf(schema);
        return text === null ? [] : [{ what: `${name}.${field}`, schema: text, field }];
      });
      const parameters: any[] = operation.parameters ?? [];
      return [
        ...inBody.map(({ what, schema, field }): TextField => ({
          what,
          schema,
          inBody: true,
          send: (url, text) =>
            ask(url, {
              method: method.toUpperCase(),
              path,
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ ...NEEDED[name], [field]: text }),
            }),
        })),
        ...parameters.flatMap(({ name: parameter, in: place, schema }): TextField[] => {
          const text = textSchemaOf(schema);
          if (text === null) return [];
          const sent = (value: string): string => {
            const encoded = encodeURIComponent(value);
            if (place === 'path') return path.replace(`{${parameter}}`, encoded);
            const needed = NEEDED_QUERY[path];
            const isNeeded = needed?.startsWith(`${parameter}=`) === true;
            return `${path}?${isNeeded || needed === undefined ? '' : `${needed}&`}${parameter}=${encoded}`;
          };
          const send: TextField['send'] = (url, value) => ask(url, { path: sent(value) });
          return [{ what: `${parameter} of ${path}`, schema: text, inBody: false, send }];
        }),
      ];
    }),
);
/* eslint-enable @typescript-eslint/no-explicit-any */

const UNSAFE = [
  '\0',
  '\n',
  '\r',
  '\t',
  '\u001b[2J',
  '\u007f',
  '\u009b',
  '\u2028',
  '\u202e',
  '\u2067',
];
const HARMLESS = ['a b', 'שם של מחשב', 'نموذج\u200c', '模型', '👩\u200d💻', 'e\u0301', '<b>"\'\\/'];

let world: ControlWorld;
beforeAll(async () => {
  world = await serveControl();
});
afterAll(() => world[Symbol.asyncDispose]());

test('the texts of requests are found in the document', () => {
  expect(fields.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      'YieldRequest.name',
      'EndYieldRequest.name',
      'PinRequest.target',
      'LoadRequest.identifier',
      'SignInRequest.key',
      'search of /api/mai/decisions',
      'id of /api/mai/decisions/{id}',
    ]),
  );
});

describe.each(fields)('$what', ({ schema, inBody, send }) => {
  const unsafe = inBody ? [...UNSAFE, '\ud800'] : UNSAFE;

  test('has a pattern and a longest length in the document', () => {
    const { pattern = '', maxLength } = schema;
    expect(pattern).not.toBe('');
    // The pattern of a cursor has its own longest length.
    expect(maxLength !== undefined || !/[*+]|,\}/.test(pattern)).toBe(true);
    for (const one of unsafe) expect(new RegExp(pattern, 'u').test(`a${one}b`)).toBe(false);
  });

  test.each(unsafe)('with %j is refused, and the answer does not repeat it', async (one) => {
    const answer = await send(world.url, `a${one}b`);
    expect([400, 404]).toContain(answer.status);
    expect(answer.json().error.message).not.toContain(one);
    const changes = ['load', 'unload', 'pin', 'unpin', 'yieldMemory', 'endYield'];
    expect(world.machine.calls.filter(([name]) => changes.includes(name))).toEqual([]);
  });
});

test.each(HARMLESS)('a yield may have the name %j', async (name) => {
  const answer = await ask(world.url, {
    method: 'POST',
    path: '/api/mai/yield',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ bytes: 1, name }),
  });
  expect(answer.status).toBe(200);
  expect(answer.json().yields).toContainEqual(expect.objectContaining({ name }));
});
