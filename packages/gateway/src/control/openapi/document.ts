import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../json.js';
import { COMPONENTS } from '../schemas/shared/component.js';
import { errorAnswer } from '../schemas/shared/errors.js';
import { OPERATIONS, pathId, type Operation } from './operations.js';

const reference = (id: string): string => `#/components/schemas/${id}`;

/** The OpenAPI 3.1 document of the control API, generated from the schemas. */
export function openApiDocument(): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [operationId, operation] of Object.entries<Operation>(OPERATIONS)) {
    const methods = (paths[operation.path] ??= {});
    methods[operation.method.toLowerCase()] = describeOperation(operationId, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mai control API',
      version: '1',
      description:
        'State and control of one machine. Sizes are in bytes, moments in milliseconds since the epoch. Null means not known.',
    },
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        session: { type: 'apiKey', in: 'cookie', name: 'mai-session' },
      },
    },
    security: [{}, { bearer: [] }, { apiKey: [] }, { session: [] }],
  };
}

function describeOperation(operationId: string, operation: Operation): JsonObject {
  const { method, summary, scope, body, answer, streams, path, query } = operation;
  const type = streams ? 'text/event-stream' : 'application/json';
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  return {
    operationId,
    summary,
    ...(scope === null ? {} : { 'x-mai-scope': scope }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(method !== 'POST'
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: refTo(body) } } },
        }),
    responses: {
      200: { description: 'The answer.', content: { [type]: { schema: refTo(answer) } } },
      default: {
        description: 'A failure.',
        content: { 'application/json': { schema: refTo(errorAnswer) } },
      },
    },
  };
}

function pathParameters(path: string): readonly JsonObject[] {
  const { $schema: _, ...schema } = z.toJSONSchema(pathId, { target: 'draft-2020-12' });
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema,
  }));
}

function queryParameters(query: z.ZodObject): readonly JsonObject[] {
  const schema: unknown = z.toJSONSchema(query, { io: 'input', target: 'draft-2020-12' });
  const { properties, required: needed } = isJsonObject(schema) ? schema : {};
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = isJsonObject(property) ? property : {};
    const required = Array.isArray(needed) && needed.includes(name);
    return {
      name,
      in: 'query',
      required,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function refTo(schema: z.ZodType): JsonObject {
  const id = COMPONENTS.get(schema)?.id;
  if (id === undefined) throw new Error('A schema of the control API has no name in COMPONENTS.');
  return { $ref: reference(id) };
}

/** Every named schema. Requests are described as they are sent, answers as they are received. */
function componentSchemas(): JsonObject {
  const options = { uri: reference, target: 'draft-2020-12' } as const;
  const sent = z.toJSONSchema(COMPONENTS, { ...options, io: 'input' }).schemas;
  const received = z.toJSONSchema(COMPONENTS, { ...options, io: 'output' }).schemas;
  const schemas: Record<string, unknown> = {};
  for (const id of Object.keys(received).sort()) {
    const {
      $schema: _,
      $id: _id,
      ...schema
    } = (id.endsWith('Request') ? sent : received)[id] ?? {};
    schemas[id] = schema;
  }
  return schemas;
}
