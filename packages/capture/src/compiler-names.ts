/**
 * Names that nobody wrote: what compilers, bundlers and coverage tools put into a function's text. Found by emitting each
 * tool's output (see emitted-texts.test.ts); a name missing here is still refused, only with a less helpful message.
 */

/** esbuild's keepNames and Istanbul's counters: the runner defines both (identity, counter sink), so they may ship. */
export function isKnownToRunner(name: string): boolean {
  return name === '__name' || /^cov_/.test(name)
}

// TypeScript (tslib names too) and esbuild.
const UNDERSCORED_HELPERS: ReadonlySet<string> = new Set(
  `
  __awaiter __generator __rest __assign __spreadArray __spread __spreadArrays __values __read __extends __decorate __param
  __metadata __esDecorate __runInitializers __propKey __setFunctionName __classPrivateFieldGet __classPrivateFieldSet
  __classPrivateFieldIn __asyncGenerator __asyncDelegator __asyncValues __await __makeTemplateObject
  __addDisposableResource __disposeResources __rewriteRelativeImportExtension
  __async __yieldStar __forAwait __privateGet __privateSet __privateAdd __privateIn __privateMethod __privateWrapper
  __publicField __defNormalProp __spreadValues __spreadProps __objRest __restKey __pow __template __using __callDispose
  __decorateClass __decorateElement __decorateParam __decoratorStart __decoratorMetadata __accessCheck
  __superGet __superSet __superWrapper __superIndex __superStaticGet __superStaticSet __earlyAccess
  babelHelpers _s _c _jsx _jsxs _jsxDEV _jsxFileName _Fragment jsxDEV _this _super _arguments
`
    .trim()
    .split(/\s+/),
)

// Babel, SWC and oxc spell one set of helpers in two ways, with a number behind on a second import: _classPrivateFieldGet2.
const BABEL_HELPER =
  /^_(?:class|async|await|wrap|objec?t?|define|extends|inherits|create|get|set|to|sliced|maybe|non|iterable|interop|super|call|construct|assert|check|apply|decorate|initializer|tagged|type_?of|using|dispose|skip|new_?arrow|read_?only|identity|ts_|unsupported|array|is_?native|possible|export)(?:_[a-z_]+|[A-Z]\w*|)\d*$/

// tsc names the WeakMap of a lowered #n of class A `_A_n`, and the brand of its methods `_A_instances`; `_MAX_SIZE` is the user's.
const LOWERED_PRIVATE = /^_(?=\w*[a-z])[A-Z]\w*_\w+$/

/** Whether a free name is a helper that a compiler inserts for older targets, decorators or JSX. */
export function isCompilerHelper(name: string): boolean {
  return (
    UNDERSCORED_HELPERS.has(name) || /^_ref\d*$/.test(name) || BABEL_HELPER.test(name) || LOWERED_PRIVATE.test(name)
  )
}

/** Whether a free name stands for `import()` after Vite, Vitest or webpack rewrote it. */
export function isDynamicImportHelper(name: string): boolean {
  return /^__vitePreload$|^__vite_ssr_dynamic_import__$|^__vi_dynamic_import|^__variableDynamicImport|^__webpack_require__$/.test(
    name,
  )
}

/** Whether a free name stands for `import.meta` after Vite's server transform. */
export function isImportMetaHelper(name: string): boolean {
  return name === '__vite_ssr_import_meta__'
}

/** Whether a free name is a module object that a bundler or a CommonJS compiler made of an import. */
export function isImportedModuleName(name: string): boolean {
  return /^__vite_ssr_import_\d+__$|^__vi_import_\d+__$|__WEBPACK_(?:EXTERNAL_MODULE|IMPORTED_MODULE)_|^tslib_\d+$/.test(
    name,
  )
}
