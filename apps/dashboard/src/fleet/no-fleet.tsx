/** How to make a fleet, for a gateway that serves alone. */
export function NoFleet() {
  return (
    <section class="empty fleet-empty" aria-labelledby="no-fleet">
      <h2 id="no-fleet">This gateway serves alone.</h2>
      <p>
        In a fleet, a request goes to the machine that serves it best: where its model is loaded and
        idle, or fits. Each machine decides about its own memory, and goes on alone when the others
        are out of reach.
      </p>
      <ol>
        <li>
          <code>mai fleet init</code> on the first machine makes the fleet and starts its
          nats-server.
        </li>
        <li>
          <code>mai fleet invite</code> there prints an invitation for one other machine.
        </li>
        <li>
          <code>mai fleet join INVITATION</code> on that machine pairs it.
        </li>
        <li>
          <code>mai serve --fleet</code> on each machine serves for all of them. A machine that
          belongs to a fleet and runs <code>mai serve</code> without it serves alone.
        </li>
      </ol>
    </section>
  );
}
