/** Writes `deploy/grafana-dashboard.json`: one panel for each row of the table below. */
import { main, syncFile } from "./generated_files.ts";

interface Panel {
  readonly title: string;
  /** Unit as Grafana names it. */
  readonly unit: string;
  /** Queries by what their line is called; `{{…}}` stands for a label. */
  readonly lines: Readonly<Record<string, string>>;
}

const rate = (metric: string) => `rate(${metric}{instance=~"$instance"}[$__rate_interval])`;
const now = (metric: string) => `${metric}{instance=~"$instance"}`;
const by = (label: string, metric: string) => `sum by (${label}) (${rate(metric)})`;
const share = (share: number, histogram: string) =>
  `histogram_quantile(${share}, sum by (le) (${rate(`${histogram}_bucket`)}))`;

/** From what one looks at first to what explains it. */
export const panels: readonly Panel[] = [
  {
    title: "People and projects",
    unit: "short",
    lines: {
      connections: now("connections"),
      "shared projects": now("shared_projects"),
      actors: now("actors"),
    },
  },
  {
    title: "Messages",
    unit: "cps",
    lines: {
      received: rate("messages_received_total"),
      forwarded: rate("messages_forwarded_total"),
      sent: rate("messages_sent_total"),
    },
  },
  {
    title: "Network",
    unit: "Bps",
    lines: { received: rate("bytes_received_total"), sent: rate("bytes_sent_total") },
  },
  {
    title: "Time of a transaction",
    unit: "s",
    lines: {
      "half of them": share(0.5, "journal_commit_seconds"),
      "99 %": share(0.99, "journal_commit_seconds"),
    },
  },
  {
    title: "Rows written",
    unit: "cps",
    lines: { rows: rate("journal_rows_total") },
  },
  {
    title: "Defects",
    unit: "short",
    lines: {
      "crashes: {{kind}}": by("kind", "actor_crashes_total"),
      "refused writes": rate("journal_refused_groups_total"),
      "failed transactions": rate("journal_failures_total"),
    },
  },
  {
    title: "Connections ended by the server",
    unit: "cps",
    lines: {
      "{{reason}}": by("reason", "dropped_connections_total"),
      evicted: rate("evictions_total"),
    },
  },
  {
    title: "Sockets that their peers keep open",
    unit: "short",
    lines: { sockets: now("zombie_sockets") },
  },
  {
    title: "Refused",
    unit: "cps",
    lines: {
      "handshakes: {{status}}": by("status", "refused_handshakes_total"),
      "too many, by {{by}}": by("by", "limited_requests_total"),
      "requests of the protocol": rate("request_errors_total"),
      "ignored: {{reason}}": by("reason", "ignored_messages_total"),
    },
  },
  {
    title: "Events of agents",
    unit: "cps",
    lines: {
      stored: rate("agent_events_total"),
      delivered: rate("agent_events_delivered_total"),
    },
  },
  {
    title: "Agents that others wait for",
    unit: "short",
    lines: {
      "commands without their host": now("agent_commands_waiting"),
      "events behind, slowest": now("agent_subscriber_lag_events"),
    },
  },
  {
    title: "HTTP requests",
    unit: "reqps",
    lines: { "{{status}}": by("status", "http_requests_total") },
  },
  {
    title: "Time of an HTTP request",
    unit: "s",
    lines: {
      "half of them": share(0.5, "http_request_seconds"),
      "99 %": share(0.99, "http_request_seconds"),
    },
  },
];

const WIDTH = 12;
const HEIGHT = 8;

/** The dashboard as Grafana imports it. */
export function dashboard(): string {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  const value = {
    uid: "parley",
    title: "Parley",
    tags: ["parley"],
    schemaVersion: 39,
    timezone: "browser",
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus" },
        {
          name: "instance",
          type: "query",
          datasource,
          query: "label_values(journal_rows_total, instance)",
          refresh: 2,
          includeAll: true,
          multi: true,
        },
      ],
    },
    panels: panels.map(({ title, unit, lines }, index) => ({
      id: index + 1,
      title,
      type: "timeseries",
      datasource,
      gridPos: {
        x: (index % 2) * WIDTH,
        y: Math.floor(index / 2) * HEIGHT,
        w: WIDTH,
        h: HEIGHT,
      },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: Object.entries(lines).map(([legendFormat, expr], line) => ({
        refId: String.fromCharCode(65 + line),
        datasource,
        expr,
        legendFormat,
      })),
    })),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Writes the file, or with `check` only compares it. Returns its name when it differs. */
export function run(check: boolean): Promise<readonly string[]> {
  const file = new URL("../deploy/grafana-dashboard.json", import.meta.url);
  return syncFile(file, dashboard(), check);
}

if (import.meta.main) await main("gen_dashboard.ts", run);
