/** The form with which a device is paired. Without a code, from this machine, a name is enough. */
import { Html, html } from "../pages/html.ts";
import { maxNameLength } from "./pairing.ts";

/** What is asked, and what was typed before. */
export interface PairingForm {
  readonly needsCode: boolean;
  readonly name: string | undefined;
  readonly code: string | undefined;
}

/** @param fields hidden ones */
export function pairingForm(
  prefix: string,
  fields: Html,
  { needsCode, name = "", code = "" }: PairingForm,
): Html {
  const focus = (here: boolean) => new Html(here ? "autofocus" : "");
  const isCodeThere = !needsCode || code !== "";
  return html`
    <form method="post" action="${prefix}/pair">
    ${fields}
    ${needsCode && html`
      <label for="code">Pairing code</label>
      <input id="code" name="code" type="text" value="${code}" required maxlength="16"
        autocomplete="off" autocapitalize="characters" spellcheck="false"
        aria-describedby="code-help" ${focus(!isCodeThere)}>
      <p class="faint" id="code-help">The machine that runs the server shows it.</p>
    `}
    <label for="name">Your name</label>
    <input id="name" name="name" type="text" value="${name}" maxlength="${maxNameLength}"
    autocomplete="name" aria-describedby="name-help" ${needsCode ? "" : "required"} ${focus(
      isCodeThere,
    )}>
    <p class="faint" id="name-help">As the others see it. ${needsCode
      ? "Not needed where the code was made for you."
      : ""}</p>
    <button>Sign in</button>
    </form>
  `;
}
