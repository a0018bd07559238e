import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createMetrics } from "../../lib/metrics.ts";

Deno.test("[rooms 17a] [transport 6.3c] connections and shared projects are gauges without labels", async () => {
  const metrics = createMetrics();
  metrics.connections.inc();
  metrics.connections.inc(2);
  metrics.connections.dec();
  metrics.sharedProjects.set(5);
  const text = await metrics.text();
  assertMatch(text, /^# TYPE connections gauge\nconnections 2$/m);
  assertMatch(text, /^# TYPE shared_projects gauge\nshared_projects 5$/m);
  assertMatch(metrics.contentType, /^text\/plain/);
});

Deno.test("[rooms 17a] counters sum up, labelled ones apart, every time that they are read", async () => {
  const metrics = createMetrics();
  metrics.messagesSent.inc();
  metrics.messagesSent.inc(9);
  metrics.ignoredMessages.inc("text_frame");
  metrics.ignoredMessages.inc("no_payload", 3);
  metrics.droppedConnections.inc("flood");
  metrics.actorCrashes.inc("room");
  metrics.journalCommit.observe(0.002);
  for (let reading = 0; reading < 2; reading++) {
    const text = await metrics.text();
    for (
      const line of [
        "messages_sent_total 10",
        'ignored_messages_total{reason="text_frame"} 1',
        'ignored_messages_total{reason="no_payload"} 3',
        'dropped_connections_total{reason="flood"} 1',
        'actor_crashes_total{kind="room"} 1',
        'journal_commit_seconds_bucket{le="0.001"} 0',
        'journal_commit_seconds_bucket{le="0.0025"} 1',
        "journal_commit_seconds_count 1",
        "evictions_total 0",
      ]
    ) {
      assertStringIncludes(text, `\n${line}\n`);
    }
  }
  assertEquals(metrics.ignoredMessages.value("no_payload"), 3);
  assertEquals(metrics.ignoredMessages.value("unknown_tag"), 0);
  assertEquals(metrics.messagesSent.value, 10);
});

Deno.test("[rooms 17a] two servers in one process count apart", async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.evictions.inc();
  assertStringIncludes(await one.text(), "\nevictions_total 1\n");
  assertStringIncludes(await other.text(), "\nevictions_total 0\n");
});
