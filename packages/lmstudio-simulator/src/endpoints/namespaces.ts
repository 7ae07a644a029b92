import type { Backend } from './backend.js';
import { embeddingEndpoints } from './embedding-endpoints.js';
import type { Namespace } from '../wire/endpoint.js';
import { llmEndpoints } from './llm-endpoints.js';
import { modelEndpoints } from './model-endpoints.js';
import { repositoryEndpoints } from './repository-endpoints.js';
import { runtimeEndpoints } from './runtime-endpoints.js';
import { systemEndpoints } from './system-endpoints.js';

/**
 * The namespaces by socket path. A namespace that is not simulated accepts connections and has no endpoint.
 * A namespace that LM Studio does not have is missing, and its upgrade gets no answer.
 */
export function createNamespaces(backend: Backend): ReadonlyMap<string, Namespace> {
  const namespaces = new Map<string, Namespace>([
    ['system', new Map(systemEndpoints(backend))],
    ['llm', new Map([...modelEndpoints(backend, 'llm'), ...llmEndpoints(backend)])],
    [
      'embedding',
      new Map([...modelEndpoints(backend, 'embedding'), ...embeddingEndpoints(backend)]),
    ],
    ['repository', new Map(repositoryEndpoints(backend))],
    ['diagnostics', new Map()],
    ['files', new Map()],
    ['plugins', new Map()],
  ]);
  if (backend.profile.modern) namespaces.set('runtime', new Map(runtimeEndpoints(backend)));
  return namespaces;
}
