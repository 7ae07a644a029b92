// The commands in one module, which is loaded when one of them runs. They share most of their code; a
// module each would be split into dozens of small files, and Node spends half a millisecond on each.
// What is large (the demo, the estimator, the SDK, YAML) is loaded by the code that needs it.
export { run as complete } from './complete.js';
export { run as completions } from './completions.js';
export { run as configCheck } from './config-check.js';
export { run as configInit } from './config-init.js';
export { run as configPath } from './config-path.js';
export { run as configSchema } from './config-schema.js';
export { run as demo } from './demo.js';
export { run as doctor } from './doctor.js';
export { run as load } from './load.js';
export { run as models } from './models.js';
export { run as select } from './select.js';
export { run as start } from './start.js';
export { run as status } from './status.js';
export { run as unload } from './unload.js';
