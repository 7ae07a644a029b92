import { rememberVariants } from './known-variants.js';
import { parseInstance } from '../wire/parse-answers.js';
import { identify, type KnownVariants } from './model-identity.js';

const HUB = 'acme/alpha-9b';
const Q4 = `${HUB}@q4_k_m`;
const Q8 = `${HUB}@q8_0`;

test('an instance keeps the key of its variant after this variant was deleted', () => {
  const variants = new Map<string, { modelKey: string; selected: string | null }>();
  const model = (keys: readonly string[]) => ({
    modelKey: HUB,
    variants: keys,
    selectedVariant: keys[0] ?? null,
  });
  const raw = parseInstance(
    {
      modelKey: HUB,
      path: HUB,
      indexedModelIdentifier: HUB,
      sizeBytes: 9e8,
      format: 'gguf',
      displayName: 'Alpha',
      identifier: 'mine',
      instanceReference: 'ref',
      variants: [Q4, Q8],
      selectedVariant: Q4,
      deviceIdentifier: null,
    },
    'llm',
  );
  const keyOf = (known: KnownVariants) =>
    raw === undefined ? null : identify(raw, known).modelKey;
  rememberVariants({ variants }, [model([Q4, Q8])]);
  expect(keyOf(variants)).toBe(HUB);
  // Q8 is now what the model's key loads.
  rememberVariants({ variants }, [model([Q8])]);
  expect(keyOf(variants)).toBe(Q4);
});
