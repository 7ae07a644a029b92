/** How clients reach the gateway. */
export interface GatewayAccess {
  /** Address without a path, such as `http://127.0.0.1:11435`. */
  readonly url: string;
  /** Model name that clients ask for, such as `auto`. */
  readonly model: string;
  /** Null: the gateway asks for no API key. */
  readonly apiKey: string | null;
}

/** The key that a client sends. Most clients refuse to start without a key, so this returns one even if the gateway asks for none. */
export function keyOf({ apiKey }: GatewayAccess): string {
  return apiKey ?? 'mai';
}

/** The base URL of clients that speak an OpenAI protocol. */
export function openAiUrl({ url }: GatewayAccess): string {
  return `${url}/v1`;
}
