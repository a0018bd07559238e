import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "../support/packages/yaml.ts";
import { createMetrics } from "../../lib/metrics.ts";
import { settings } from "../../lib/settings_table.ts";
import { run as metricsDocument } from "../../scripts/gen_metrics_docs.ts";
import { panels, run as dashboard } from "../../scripts/gen_dashboard.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** Every series that a query may name, and the labels that it has. */
const series = new Map(
  createMetrics().described().flatMap(({ name, type, labels }) =>
    type === "histogram"
      ? [[`${name}_bucket`, [...labels, "le"]], [`${name}_sum`, labels], [`${name}_count`, labels]]
      : [[name, labels]]
  ) as [string, readonly string[]][],
);

/** Names in a query that are neither functions nor labels. */
function seriesOf(query: string): string[] {
  const bare = query.replaceAll(/\{[^}]*\}|\[[^\]]*\]|(?:by|without) \([^)]*\)|"[^"]*"/g, "");
  return [...bare.matchAll(/[a-z][a-z_]+(?![a-z_(])/g)].map(([name]) => name)
    .filter((name) => !/^(?:sum|rate|increase|by|up)$/.test(name));
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

async function rules(): Promise<Rule[]> {
  const { groups } = parse(await read("deploy/alerts.yml")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

Deno.test("[transport 6.3c] docs/METRICS.md lists every metric that /metrics tells, and no other", async () => {
  assertEquals(await metricsDocument(true), [], "stale: deno task gen");
  const text = await createMetrics().text();
  const told = [...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].map(([, name, type]) => [name, type]);
  const document = await read("docs/METRICS.md");
  const listed = [...document.matchAll(/^\| `(\w+)[^`]*` \| (\w+) \|/gm)]
    .map(([, name, type]) => [name, type]);
  assertEquals(listed, told);
});

Deno.test("[issue 4 metrics] the dashboard shows every metric, and only such as there are", async () => {
  assertEquals(await dashboard(true), [], "stale: deno task gen");
  const shown = panels.flatMap(({ lines }) => Object.entries(lines));
  const named = new Set<string>();
  for (const [legend, query] of shown) {
    const names = seriesOf(query);
    assertEquals(names.length, 1, query);
    const labels = series.get(names[0]!);
    assert(labels, `no metric ${names[0]}`);
    for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
      assert(labels.includes(label!), query);
    }
    for (const [, label] of query.matchAll(/by \((\w+)\)/g)) assert(labels.includes(label!), query);
    named.add(names[0]!.replace(/_bucket$/, ""));
  }
  const all = createMetrics().described().map(({ name }) => name);
  assertEquals([...named].toSorted(), all.toSorted());
});

Deno.test("[issue 4 alarms] each alarm asks for metrics that there are, and the manual says what to do", async () => {
  const document = await read("docs/OPERATIONS.md");
  const [, table = ""] = /### What each alarm means([^]*?)\n### /.exec(document) ?? [];
  const explained = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  assertEquals(explained, (await rules()).map(({ alert }) => alert));
  for (const { alert, expr } of await rules()) {
    for (const name of seriesOf(expr)) assert(series.has(name), `${alert}: no metric ${name}`);
    for (const [, name, label] of expr.matchAll(/(\w+)\{(\w+)=/g)) {
      if (name !== "up") assert(series.get(name!)?.includes(label!), `${alert}: ${name}{${label}}`);
    }
  }
});

Deno.test("[issue 4 samples] the files of deploy/ name settings and commands that there are", async () => {
  const known = new Set(Object.values(settings).map(({ env }) => env as string));
  const foreign = /^(?:POSTGRES_|LIVEKIT_(?:KEYS|HOST|UPSTREAM)|PARLEY_(?:HOST|UPSTREAM)|DENO_)/;
  const { services } = parse(await read("deploy/compose.yml")) as {
    services: Record<string, { environment?: Record<string, string>; image?: string }>;
  };
  assertEquals(Object.keys(services), ["parley", "postgres", "livekit", "caddy"]);
  for (const name of Object.keys(services.parley!.environment!)) assert(known.has(name), name);
  const given = await read("deploy/env.example");
  for (const [, name] of (await read("deploy/compose.yml")).matchAll(/\$\{(\w+)/g)) {
    assertStringIncludes(given, `${name}=`);
  }
  for (const file of ["deploy/Dockerfile", "deploy/parley.service"]) {
    for (const [, name] of (await read(file)).matchAll(/\b([A-Z]{3,}(?:_[A-Z]+)+)=/g)) {
      assert(known.has(name!) || foreign.test(name!), `${file}: ${name}`);
    }
  }
  const limits = (await read("docs/OPERATIONS.md")).matchAll(/`([A-Z]{3,}(?:_[A-Z]+)+)`/g);
  for (const [, name] of limits) {
    assert(known.has(name!) || foreign.test(name!), `docs/OPERATIONS.md: ${name}`);
  }
});
