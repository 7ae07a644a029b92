import * as z from 'zod/mini';
import { embed } from '../../predicting/embedding.js';
import type { Backend } from '../../runtime/backend.js';
import { resolveSpecifier } from './resolve-specifier.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { rpc } from '../../wire/endpoint.js';
import { specifierSchema } from '../../wire/frames.js';
import { specificModelUnloaded } from '../../wire/wire-error.js';

/** The endpoints that only the namespace `embedding` has. */
export function embeddingEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  return [
    [
      'embedString',
      rpc(
        z.object({ modelSpecifier: specifierSchema, inputString: z.string() }),
        async ({ modelSpecifier, inputString }) => {
          const resident = resolveSpecifier(backend, 'embedding', modelSpecifier);
          const embedding = await embed(backend.runtime, resident, inputString);
          if (embedding === null) throw specificModelUnloaded();
          return { embedding };
        },
      ),
    ],
  ];
}
