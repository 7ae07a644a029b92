export type { HostOptions } from './host-options.js';
