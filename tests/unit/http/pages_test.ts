import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { html } from "../../../http/pages/html.ts";
import { statusOf, withHttp } from "../../support/http.ts";

Deno.test("[transport 4.1.6] the success page tells to return to the editor", async () => {
  await withHttp([], async ({ ask }) => {
    const answer = await ask("/native_app_signin_succeeded");
    assertEquals(answer.status, 200);
    assertMatch(answer.headers.get("content-type")!, /^text\/html/);
    assertMatch(await answer.text(), /return to Zed/);
  });
});

Deno.test("[transport 7.3] channel links open the editor, other pages say where they are", async () => {
  await withHttp([], async ({ ask }) => {
    const link = await (await ask("/channel/the-%C3%A9tage-12")).text();
    assertStringIncludes(link, 'href="zed://channel/the-%C3%A9tage-12"');
    assertStringIncludes(link, 'content="0; url=zed://channel/the-%C3%A9tage-12"');
    const notes = await (await ask("/channel/x-7/notes")).text();
    assertStringIncludes(notes, 'href="zed://channel/x-7/notes"');
    for (const slug of ["x", "%22%3E%3Cscript%3E-1", "a%0Ab-1", "-", "1-x"]) {
      assertEquals(await statusOf(ask(`/channel/${slug}`)), 404, slug);
    }
    for (
      const path of ["/docs", "/docs/nightly/x", "/terms-of-service", "/releases/stable/1.0.0"]
    ) {
      const answer = await ask(path);
      assertEquals(answer.status, 404, path);
      assertMatch(await answer.text(), /zed\.dev/);
    }
  });
});

Deno.test("[issue 4 pages] pages allow nothing foreign and no script", async () => {
  await withHttp([], async ({ ask }) => {
    const answer = await ask("/native_app_signin_succeeded");
    const policy = answer.headers.get("content-security-policy")!;
    assertMatch(policy, /default-src 'none'/);
    assertMatch(policy, /frame-ancestors 'none'/);
    assertNotMatch(policy, /script-src|unsafe/);
    assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
    const text = await answer.text();
    assertNotMatch(text, /<script|style=|onclick/);
    assertMatch(text, /<html lang="en">[^]*name="viewport"/);
    const style = await ask("/assets/style.css");
    assertMatch(style.headers.get("content-type")!, /^text\/css/);
    assertMatch(await style.text(), /color-scheme: light dark/);
  });
});

Deno.test("[issue 4 pages] nothing becomes markup that came from outside", () => {
  const outside = `<b title="x" id='y'>&</b>`;
  const escaped = "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;&lt;/b&gt;";
  assertEquals(html`<p>${outside}</p>`.text, `<p>${escaped}</p>`);
  assertEquals(
    html`${[html`<i>${1}</i>`, outside]}${undefined}${false}`.text,
    `<i>1</i>${escaped}`,
  );
});
