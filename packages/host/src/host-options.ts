/** How one machine's Mai is opened. */
export interface HostOptions {
  /** Address of LM Studio; found on this machine unless given. */
  readonly url?: string | undefined;
}
