import * as z from 'zod/mini';
import { startEmbedding } from '../predicting/embedding.js';
import { countTokens, tokenize } from '../predicting/tokens.js';
import type { Backend } from './backend.js';
import { resolveSpecifier } from './backend.js';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc } from '../wire/endpoint.js';
import { specifierSchema } from '../wire/frames.js';
import { specificModelUnloaded } from '../wire/wire-error.js';

/** The endpoints that only the namespace `embedding` has. */
export function embeddingEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  const text = z.object({ specifier: specifierSchema, inputString: z.string() });
  return [
    [
      'embedString',
      rpc(
        z.object({ modelSpecifier: specifierSchema, inputString: z.string() }),
        ({ modelSpecifier, inputString }) => {
          const resident = resolveSpecifier(backend, 'embedding', modelSpecifier);
          return new Promise((resolve, reject) => {
            startEmbedding(backend.runtime, resident, inputString, (embedding) => {
              if (embedding === null) reject(specificModelUnloaded());
              else resolve({ embedding });
            });
          });
        },
      ),
    ],
    [
      'tokenize',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, 'embedding', specifier);
        return { tokens: tokenize(inputString) };
      }),
    ],
    [
      'countTokens',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, 'embedding', specifier);
        return { tokenCount: countTokens(inputString) };
      }),
    ],
  ];
}
