import type { LMStudioClient } from '@mai/lmstudio-adapter';

/** What loads models: LM Studio, or llama.cpp in child processes of Mai. */
export type RuntimeName = 'lmstudio' | 'embedded';

/** The methods of a runtime that a host needs, whichever runtime it is. */
export type RuntimeClient = Pick<
  LMStudioClient,
  | 'baseUrl'
  | 'host'
  | 'connectedVersion'
  | 'listDownloaded'
  | 'listResidents'
  | 'modelInfo'
  | 'estimate'
  | 'watchEngines'
  | 'selectedEngines'
  | 'surveyHardware'
  | 'load'
  | 'loadFirst'
  | 'unload'
  | 'warmUp'
  | 'unconfirmedLoads'
  | 'close'
>;

/** The embedded engine. Each resident has its own process, which listens on its own port. */
export interface EmbeddedClient extends RuntimeClient {
  /** The HTTP address of a resident; null where it is not loaded. Also knows the residents of other Mai processes. */
  addressOf(instanceIdentifier: string): Promise<ResidentAddress | null>;
}

/** The HTTP address of one resident. */
export interface ResidentAddress {
  /** Without a path: `http://127.0.0.1:40123`. */
  readonly baseUrl: string;
  /** The value of the header `authorization`. */
  readonly authorization: string;
}
