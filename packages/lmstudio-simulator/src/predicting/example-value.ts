const DEEPEST = 8;

type Keyword =
  | 'const'
  | 'default'
  | 'enum'
  | '$ref'
  | 'anyOf'
  | 'oneOf'
  | 'allOf'
  | 'type'
  | 'properties'
  | 'required'
  | 'items'
  | 'minItems'
  | 'minLength'
  | 'minimum'
  | 'maximum';
type JsonSchema = { readonly [K in Keyword]?: unknown };

/**
 * Makes a value that matches a JSON schema. The same schema always gets the same value. Supported keywords: `type`,
 * `const`, `enum`, `properties`, `required`, `items`, `minItems`, `minLength`, `minimum`, `anyOf`, `oneOf`, `allOf`
 * and `$ref` within the schema. Other keywords, such as `pattern`, are ignored.
 */
export function exampleValue(schema: unknown): unknown {
  return exampleOf(schema, schema, 0);
}

function exampleOf(schema: unknown, root: unknown, depth: number): unknown {
  if (!isSchema(schema) || depth > DEEPEST) return null;
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  const [firstOfEnum] = listOf(schema.enum);
  if (firstOfEnum !== undefined) return firstOfEnum;
  if (typeof schema.$ref === 'string') {
    return exampleOf(resolveReference(root, schema.$ref), root, depth + 1);
  }
  const [alternative] = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  if (alternative !== undefined) return exampleOf(alternative, root, depth + 1);
  const all = listOf(schema.allOf);
  if (all.length > 0) {
    const values = all.map((part) => exampleOf(part, root, depth + 1));
    return values.every(isRecord)
      ? Object.fromEntries(values.flatMap((value) => Object.entries(value)))
      : values[0];
  }
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (isRecord(schema.properties) ? 'object' : undefined)) {
    case 'object':
      return exampleObject(schema, root, depth);
    case 'array': {
      const items = Math.max(1, Math.min(numberOr(schema.minItems, 1), 100));
      return Array.from({ length: items }, () => exampleOf(schema.items, root, depth + 1));
    }
    case 'string':
      return 'text'.padEnd(Math.min(numberOr(schema.minLength, 0), 10_000), '.');
    case 'integer':
      return Math.ceil(numberOr(schema.minimum, Math.min(1, numberOr(schema.maximum, 1))));
    case 'number':
      return numberOr(schema.minimum, Math.min(1, numberOr(schema.maximum, 1)));
    case 'boolean':
      return true;
    default:
      return null;
  }
}

// Optional properties are left out where the schema requires others.
function exampleObject(
  schema: JsonSchema,
  root: unknown,
  depth: number,
): Readonly<Record<string, unknown>> {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const required = listOf(schema.required).filter((name) => typeof name === 'string');
  const names = required.length > 0 ? required : Object.keys(properties);
  return Object.fromEntries(
    names.map((name) => [name, exampleOf(properties[name], root, depth + 1)]),
  );
}

function resolveReference(root: unknown, reference: string): unknown {
  let found: unknown = root;
  for (const key of reference.replace(/^#\/?/, '').split('/')) {
    if (key === '') continue;
    found = isRecord(found) ? found[key] : undefined;
  }
  return found;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function isSchema(value: unknown): value is JsonSchema {
  return isRecord(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
