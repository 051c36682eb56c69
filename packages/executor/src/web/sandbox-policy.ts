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
