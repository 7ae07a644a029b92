export { estimateFootprint, modelShape } from '@mai/memory-estimator';
export { headerFacts } from './read-header-facts.js';
