// The autopilot and the commands that speak to it, in one module that is loaded when one of them runs.
export { run as pin } from './pin.js';
export { run as unpin } from './unpin.js';
export { run as watch } from './watch.js';
export { run as yieldMemory } from './yield.js';
