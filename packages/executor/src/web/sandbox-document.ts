/// <reference types="@shoal/vite-plugin/inline-worker" />
import bootScript from './sandbox-boot.ts?shoal-inline'

/**
 * What the sandbox frame and the workers in it may do: evaluate code, and nothing that leaves them. `default-src` stands
 * for everything it can stand for; the directives behind the scripts are those it cannot.
 */
export const SANDBOX_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
  'worker-src blob:',
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/**
 * The sandbox frame's document, whole: it loads nothing. Used as `srcdoc`, and shipped as `sandbox.html` for pages whose
 * own policy refuses that, since a `srcdoc` frame inherits it.
 */
export function sandboxDocument(): string {
  return [
    '<!doctype html>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${SANDBOX_POLICY}">`,
    '<title>Shoal sandbox</title>',
    `<script>${asScriptText(bootScript)}</script>`,
    '',
  ].join('\n')
}

/**
 * HTML ends a script at `</script` and changes its mode at `<!--`, wherever in the text. Both stand in strings only: the
 * second is a comment in a classic script, so no bundler writes it.
 */
function asScriptText(code: string): string {
  return code.replace(/<(?=\/script|!--)/gi, '\\x3c')
}
