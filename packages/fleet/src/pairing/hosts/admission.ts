import { z } from 'zod/mini';

export const admissionSchema = z.strictObject({
  host: z.string(),
  authority: z.string(),
  authorityCertificate: z.string(),
  certificate: z.string(),
  /** Certificate of the nats-server that the host runs from now on, for its own key; null where it runs none. */
  natsCertificate: z.nullable(z.string()),
  allowList: z.string(),
});
/** The data that an admitted host gets. */
export type Admission = z.output<typeof admissionSchema>;
