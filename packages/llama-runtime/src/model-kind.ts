/** Kind of a model. */
export type ModelKind = 'llm' | 'embedding';
