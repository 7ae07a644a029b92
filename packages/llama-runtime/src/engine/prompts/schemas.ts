import type { ChatFormatOptions } from '../llama-door.js';
import { invalidField } from '../request-error.js';

/**
 * Most levels of a schema, with those behind its references. llama.cpp reads a schema with one call for each level, and too many
 * end the whole process.
 */
const MOST_LEVELS = 500;
/** Keywords whose schemas describe the same value as the schema that has them. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf'];

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The schemas of a response format and of tools as llama.cpp takes them: `#`, which names the whole schema, becomes a path.
 *
 * @throws RequestError where a schema would end llama.cpp's process: it is nested too deeply, or it refers to itself without a
 *   value in between; and where no value satisfies it, because it has an enum without values
 */
export function readSchemas<Format extends Partial<ChatFormatOptions>>(format: Format): Format {
  const { response_format: response, tools } = format;
  return {
    ...format,
    ...(response !== undefined && { response_format: readResponseFormat(response) }),
    ...(tools !== undefined && { tools: tools.map(readTool) }),
  };
}

function readResponseFormat(format: unknown): unknown {
  if (!isObject(format)) return format;
  const { schema, json_schema: named } = format;
  return {
    ...format,
    ...(isObject(schema) && { schema: readSchema(schema, 'response_format') }),
    ...(isObject(named) &&
      isObject(named['schema']) && {
        json_schema: { ...named, schema: readSchema(named['schema'], 'response_format') },
      }),
  };
}

function readTool(tool: unknown): unknown {
  if (!isObject(tool) || !isObject(tool['function'])) return tool;
  const { function: declared } = tool;
  const { parameters } = declared;
  if (!isObject(parameters)) return tool;
  return { ...tool, function: { ...declared, parameters: readSchema(parameters, 'tools') } };
}

function readSchema(root: JsonObject, field: string): JsonObject {
  const parts = partsOf(root, field);
  refuseEmptyCycles(root, parts, field);
  if (![...parts].some((part) => part['$ref'] === '#')) return root;
  const known = isObject(root['$defs']) ? root['$defs'] : {};
  let name = 'root';
  while (Object.hasOwn(known, name)) name += '_';
  const whole = withRootNamed(root, `#/$defs/${name}`);
  return { ...whole, $defs: { ...(isObject(whole['$defs']) && whole['$defs']), [name]: whole } };
}

/** Each object of a schema. */
function partsOf(root: JsonObject, field: string): ReadonlySet<JsonObject> {
  const seen = new Set<JsonObject>();
  const visit = (value: unknown, level: number): void => {
    if (typeof value !== 'object' || value === null) return;
    refuseTooDeep(level, field);
    if (Array.isArray(value)) for (const item of value) visit(item, level + 1);
    if (!isObject(value)) return;
    if (seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value['enum']) && value['enum'].length === 0)
      throw invalidField(field, 'has a schema with an enum without values');
    // As in llama.cpp, a definition is read at its first reference, so that its levels count there.
    const { $defs, definitions, ...others } = value;
    for (const item of [referredTo(root, value), ...Object.values(others), $defs, definitions])
      visit(item, level + 1);
  };
  visit(root, 0);
  return seen;
}

/** Refuses a schema that says of itself only that it is itself: its grammar would begin with itself for ever. */
function refuseEmptyCycles(root: JsonObject, parts: ReadonlySet<JsonObject>, field: string): void {
  const open = new Set<JsonObject>();
  const done = new Set<JsonObject>();
  const visit = (part: unknown): void => {
    if (!isObject(part) || done.has(part)) return;
    if (open.has(part))
      throw invalidField(field, 'has a schema that refers to itself without a value in between');
    refuseTooDeep(open.size, field);
    open.add(part);
    visit(referredTo(root, part));
    for (const keyword of SAME_VALUE) {
      const list = part[keyword];
      if (Array.isArray(list)) list.forEach(visit);
    }
    open.delete(part);
    done.add(part);
  };
  for (const part of parts) visit(part);
}

function refuseTooDeep(level: number, field: string): void {
  if (level > MOST_LEVELS)
    throw invalidField(field, `has a schema of more than ${MOST_LEVELS} levels`);
}

/** The part of the schema that `$ref` names; null without one, and where llama.cpp finds none, which it reports itself. */
function referredTo(root: JsonObject, { $ref: reference }: JsonObject): unknown {
  if (reference === '#') return root;
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return null;
  let target: unknown = root;
  for (const name of reference.slice(2).split('/')) {
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name)) return null;
    target = Reflect.get(target, name);
  }
  return target;
}

function withRootNamed(schema: JsonObject, path: string): JsonObject {
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    return isObject(value) ? renameIn(value) : value;
  };
  const renameIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(object).map(([name, item]) => [
        name,
        name === '$ref' && item === '#' ? path : rename(item),
      ]),
    );
  return renameIn(schema);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
