import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

/**
 * Tells a client that waits with its body (`Expect: 100-continue`) to send it when the body is first read. Node would tell it at once. So a
 * request that is refused for its headers, such as a body that is too long or a wrong key, is answered before the client sends all of
 * its body in vain. curl waits so with bodies of more than 1 MiB.
 *
 * The connection of such a refusal is closed, because the client may send the body nevertheless (RFC 9110, section 10.1.1).
 */
export function inviteBodiesWhenRead(server: Server | HttpsServer): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const { shouldKeepAlive } = response;
    response.shouldKeepAlive = false;
    // Node also reads the rest of a body after the answer.
    request.once('resume', () => {
      if (response.headersSent || response.writableEnded) return;
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    });
    server.emit('request', request, response);
  });
}
