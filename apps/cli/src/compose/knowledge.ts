// What is known about models: which are here, and what each takes. In a module of its own, because the
// memory estimator behind it is large, and a command that decides nothing starts without it.
export { openCalibration } from './calibration.js';
export { createCatalog } from './catalog.js';
export { createFootprints } from './footprints.js';
export { createHeaderShelf } from './header-shelf.js';
export { libraryOf } from './library.js';
