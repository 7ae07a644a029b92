import type { EndedResident } from '@mai/autopilot';
import type { LlamaRuntime } from '@mai/llama-runtime';
import type { LMStudioClient } from '@mai/lmstudio-adapter';

export type { RuntimeName } from '@mai/model-config';

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
  readonly selectedEngines: LlamaRuntime['selectedEngines'];
  /**
   * The HTTP address of a resident, also of another Mai process's resident.
   * @throws LlamaRuntimeError `INSTANCE_NOT_FOUND`
   */
  addressOf(instanceIdentifier: string): Promise<OpenAiAddress>;
  /** Calls `listener` when an engine ends without an unload by this process. Returns a function that stops the calls. */
  onEnded(listener: (ended: EndedResident) => void): () => void;
}

/** The address and headers for an OpenAI client. */
export interface OpenAiAddress {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  /** Carries the runtime's token; empty without a token. */
  readonly requestHeaders: Readonly<Record<string, string>>;
}
