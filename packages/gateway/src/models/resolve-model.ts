import type { ServingCatalog, ServingRequest } from '../ports/serving-port.js';
import type { Failure, RequestFacts } from '../protocols/protocol.js';

/** The model that a request names, as a request to the machine. */
export type Resolution =
  | { readonly kind: 'resolved'; readonly wanted: ServingRequest }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Resolves the model's name of a request. */
export type ResolveModel = (facts: RequestFacts, catalog: ServingCatalog) => Resolution;
