// Writes src/api/api.generated.ts, the types and routes of the gateway's OpenAPI document.
//   node tools/generate-api-types.mjs           writes the file
//   node tools/generate-api-types.mjs --check   fails where the file differs from the document
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const target = fileURLToPath(new URL('../src/api/api.generated.ts', import.meta.url));
const source = new URL('../../../packages/gateway/openapi.json', import.meta.url);
const document = JSON.parse(await readFile(source, 'utf8'));

const text = await prettier.format(
  [
    '// Generated from packages/gateway/openapi.json by tools/generate-api-types.mjs. Do not edit.',
    ...Object.entries(document.components.schemas).map(
      ([name, schema]) => `${comment(schema)}export type ${name} = ${typeOf(schema)};`,
    ),
    `/** Method and path of each operation. */\nexport const ROUTES = ${JSON.stringify(routes())} as const;`,
    `/** The body of each operation's answer; with \`events\`, the data of one event. */\nexport interface Answers { ${answers()} }`,
  ].join('\n\n'),
  { ...(await prettier.resolveConfig(target)), parser: 'typescript' },
);

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8')) !== text) {
    console.error(
      'src/api/api.generated.ts differs from packages/gateway/openapi.json. Run: npm run generate -w @mai/dashboard',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
}

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

function routes() {
  return Object.fromEntries(
    operations().map(({ method, path, operation }) => [
      operation.operationId,
      { method: method.toUpperCase(), path },
    ]),
  );
}

function answers() {
  return operations()
    .map(({ operation: { operationId, responses } }) => {
      const [{ schema }] = Object.values(responses['200'].content);
      return `readonly ${operationId}: ${typeOf(schema)};`;
    })
    .join(' ');
}

function comment({ description }) {
  return description === undefined ? '' : `/** ${description.replaceAll('*/', '*\\/')} */\n`;
}

/** The TypeScript type of a JSON schema. A form that is not known is an error, never `unknown`. */
function typeOf(schema) {
  const { $ref, anyOf, oneOf, type } = schema;
  if ($ref !== undefined) return $ref.replace('#/components/schemas/', '');
  if (anyOf ?? oneOf) return (anyOf ?? oneOf).map(typeOf).join(' | ');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  switch (type) {
    case 'null':
    case 'string':
    case 'boolean':
      return type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema.items)})[]`;
    case 'object': {
      const required = schema.required ?? [];
      const fields = Object.entries(schema.properties ?? {}).map(
        ([name, one]) =>
          `${comment(one)}readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(one)};`,
      );
      return `{\n${fields.join('\n')}\n}`;
    }
    default:
      throw new Error(`No TypeScript type for ${JSON.stringify(schema)}`);
  }
}
