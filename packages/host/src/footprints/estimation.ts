// Everything that needs the memory estimator, behind one dynamic import. The estimator is large,
// and calls that do not estimate start faster without it.
export { listDownloads } from '../models/downloads.js';
export { openCalibration } from './calibration.js';
export { createFootprints } from './footprints.js';
export { openHeaders } from './open-headers.js';
