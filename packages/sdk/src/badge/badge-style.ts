/**
 * The badge's style: small, in a corner, in both themes. What it says never hangs on a colour alone; the bars beside it
 * are full while work of others runs.
 */
export const BADGE_STYLE = `
:host {
  --background: var(--shoal-badge-background, #ffffff);
  --color: var(--shoal-badge-color, #14212b);
  --soft: var(--shoal-badge-soft-color, #55646f);
  --line: var(--shoal-badge-border-color, #c9d3d9);
  --accent: var(--shoal-badge-accent, #0b6e80);
  --offset: var(--shoal-badge-offset, 12px);
  display: block;
  position: fixed;
  z-index: 2147483000;
  inset-block-end: calc(var(--offset) + env(safe-area-inset-bottom, 0px));
  inset-inline-end: calc(var(--offset) + env(safe-area-inset-right, 0px));
  box-sizing: border-box;
  max-inline-size: min(22rem, calc(100vw - 2 * var(--offset)));
  color-scheme: light;
  font: var(--shoal-badge-font, 14px/1.35 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif);
  text-align: start;
}
@media (prefers-color-scheme: dark) {
  :host(:not([theme='light'])) {
    --background: var(--shoal-badge-background, #172129);
    --color: var(--shoal-badge-color, #e7edf1);
    --soft: var(--shoal-badge-soft-color, #a9bac6);
    --line: var(--shoal-badge-border-color, #3a4b57);
    --accent: var(--shoal-badge-accent, #5cc3d6);
    color-scheme: dark;
  }
}
:host([theme='dark']) {
  --background: var(--shoal-badge-background, #172129);
  --color: var(--shoal-badge-color, #e7edf1);
  --soft: var(--shoal-badge-soft-color, #a9bac6);
  --line: var(--shoal-badge-border-color, #3a4b57);
  --accent: var(--shoal-badge-accent, #5cc3d6);
  color-scheme: dark;
}
:host([placement$='left']) {
  inset-inline: calc(var(--offset) + env(safe-area-inset-left, 0px)) auto;
}
:host([placement^='top']) {
  inset-block: calc(var(--offset) + env(safe-area-inset-top, 0px)) auto;
}
:host([placement='inline']) {
  position: static;
  z-index: auto;
  max-inline-size: none;
}
.badge {
  display: grid;
  grid-template-columns: auto minmax(0, 1fr) auto;
  align-items: center;
  gap: 4px 12px;
  box-sizing: border-box;
  padding: 10px 10px 10px 14px;
  border: 1px solid var(--line);
  border-radius: var(--shoal-badge-radius, 12px);
  background: var(--background);
  color: var(--color);
  box-shadow: var(--shoal-badge-shadow, 0 2px 12px rgb(10 20 30 / 18%));
}
.badge[hidden] {
  display: none;
}
p {
  margin: 0;
  overflow-wrap: anywhere;
}
.title {
  font-weight: 650;
}
.soft {
  color: var(--soft);
  font-size: 0.9em;
}
.bars {
  display: flex;
  align-items: flex-end;
  gap: 3px;
  inline-size: 18px;
  block-size: 20px;
}
.bars i {
  flex: 1;
  box-sizing: border-box;
  block-size: 30%;
  border: 1.5px solid var(--soft);
  border-radius: 2px;
}
.badge[data-kind='lending'] .bars i {
  border-color: var(--accent);
}
/* Not animated: the browser would compose the page anew for every frame, on the CPU that the tab lends. */
.badge[data-running] .bars i {
  background: var(--accent);
}
.badge[data-kind='lending'] .bars i:nth-child(1) {
  block-size: 45%;
}
.badge[data-kind='lending'] .bars i:nth-child(2) {
  block-size: 100%;
}
.badge[data-kind='lending'] .bars i:nth-child(3) {
  block-size: 70%;
}
button {
  min-inline-size: 64px;
  min-block-size: 36px;
  padding: 0 12px;
  border: 1px solid var(--line);
  border-radius: calc(var(--shoal-badge-radius, 12px) - 4px);
  background: transparent;
  color: inherit;
  font: inherit;
  font-weight: 600;
  cursor: pointer;
  touch-action: manipulation;
}
button:hover {
  border-color: var(--soft);
}
button:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
@media (pointer: coarse) {
  button {
    min-block-size: 44px;
  }
}
@media (forced-colors: active) {
  .badge[data-running] .bars i {
    background: CanvasText;
  }
}
@media print {
  :host {
    display: none;
  }
}
`
