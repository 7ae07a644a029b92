/** Codes of `ClientSettingsError`. They are API. */
export type ClientSettingsErrorCode =
  /** The name of the client or the address of the gateway is not valid. */
  | 'INVALID_REQUEST'
  /** The client has no settings file that another program may write. */
  | 'NO_SETTINGS_FILE'
  /** The settings file has a syntax error, or is not in UTF-8. */
  | 'FILE_INVALID'
  /** The settings file has a form that cannot be edited without changing other settings. */
  | 'FILE_NOT_EDITABLE'
  /** A new settings file would make the client ignore its present one. */
  | 'HIDES_SETTINGS'
  /** The settings file was changed between the plan and the write. */
  | 'FILE_CHANGED'
  /** A file cannot be read or written. */
  | 'FILE_UNUSABLE';

const BRAND = Symbol.for('@mai/client-settings/ClientSettingsError');

/** An error of this package. The message says what failed and what to do next. */
export class ClientSettingsError extends Error {
  override readonly name = 'ClientSettingsError';
  readonly code: ClientSettingsErrorCode;
  readonly [BRAND] = true;

  constructor(code: ClientSettingsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value is a `ClientSettingsError`, also of another copy of this package. */
export function isClientSettingsError(value: unknown): value is ClientSettingsError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
