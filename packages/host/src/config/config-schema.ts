/** The JSON Schema of `models.yaml`. */
export async function configSchema(): Promise<object> {
  const { default: schema } = await import('@mai/model-config/schema.json', {
    with: { type: 'json' },
  });
  return schema;
}
