// Everything that needs the memory estimator, behind one dynamic import: the estimator is large, and a call
// that estimates nothing does without it.
export { listDownloads } from '../models/downloads.js';
export { openCalibration } from './calibration.js';
export { createFootprints } from './footprints.js';
export { openHeaders } from './open-headers.js';
