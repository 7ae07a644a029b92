// Loads the best model that fits this machine now, and asks it something. Needs LM Studio, or its simulator.
import { openHost } from '@mai/host';

const host = await openHost({ url: process.env.MAI_LMSTUDIO_URL });
try {
  const requirement = { capabilities: ['chat'], minContextLengthTokens: 4096 };
  const lease = await host.acquire(requirement);
  console.log(`${lease.modelKey} is loaded as ${lease.instanceIdentifier}.`);

  const response = await fetch(`${lease.baseUrl}/models`, { headers: lease.requestHeaders });
  console.log(`${lease.baseUrl} answers with ${response.status}.`);
  await lease[Symbol.asyncDispose]();
} finally {
  await host[Symbol.asyncDispose]();
}
