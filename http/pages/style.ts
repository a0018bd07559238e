/** The one style sheet of all pages. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #17181c);
  --sheet: light-dark(#ffffff, #212329);
  --ink: light-dark(#1d1f24, #e9e9ec);
  --faint: light-dark(#5c606b, #a4a8b4);
  --line: light-dark(#d6d7dc, #3a3d47);
  --accent: light-dark(#1f5fd0, #8ab4ff);
  --on-accent: light-dark(#ffffff, #10131a);
  --alarm: light-dark(#a3201d, #ff9d96);
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; padding: 1.5rem 1rem;
  display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 26rem; padding: 1.75rem 1.5rem; background: var(--sheet);
  border: 1px solid var(--line); border-radius: .75rem;
}
main.wide { max-width: 40rem; }
h1 { margin: 0 0 .75rem; font-size: 1.35rem; line-height: 1.25; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input[type=text], input[type=password] {
  width: 100%; margin: 0 0 1rem; padding: .65rem .75rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: .5rem;
}
button, .button {
  display: block; width: 100%; padding: .7rem 1rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; cursor: pointer; border-radius: .5rem;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent);
}
.plain { color: var(--ink); background: transparent; border-color: var(--line); }
.row { display: flex; gap: .75rem; align-items: center; justify-content: space-between; }
.row button { width: auto; padding: .35rem .75rem; }
form + form, form + .button, .button + .button, .button + form { margin-top: .75rem; }
.error { color: var(--alarm); font-weight: 600; }
.faint { color: var(--faint); font-size: .9rem; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .6rem 0; border-top: 1px solid var(--line); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
