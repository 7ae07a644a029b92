/** An HTTP answer with a JSON body. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: object;
}

/** The error body of LM Studio's REST API. */
export function httpError(
  status: number,
  type: string,
  message: string,
  details: { readonly code?: string; readonly param?: string } = {},
): HttpAnswer {
  return {
    status,
    body: { error: { message, type, param: details.param ?? null, code: details.code ?? null } },
  };
}
