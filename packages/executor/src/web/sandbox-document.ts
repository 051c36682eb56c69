/// <reference types="@shoal/vite-plugin/inline-worker" />
import bootScript from './sandbox-boot.ts?shoal-inline'
import { SANDBOX_POLICY } from './sandbox-policy.ts'

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
