import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Below the sdk: time and chance come in as ports, so that a whole room runs on one simulated clock and seed. */
const CORE = [
  'base',
  'protocol',
  'capture',
  'transport',
  'core-worker',
  'control-store',
  'object-store',
  'scheduler',
  'executor',
  'node',
].map((name) => `packages/${name}/src/**/*.ts`)

const TESTS = ['**/*.test.ts', '**/*.test.tsx', '**/testing/**', 'e2e/**', 'bench/**']

const noHiddenPorts = {
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take a Clock from @shoal/base.' },
    { object: 'Math', property: 'random', message: 'Take a Random from @shoal/base.' },
    { object: 'performance', property: 'now', message: 'Take a Clock from @shoal/base.' },
  ],
}

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      'docs/api/',
      '**/node_modules/',
      '**/fixtures/',
      '**/generated/',
      '**/*.d.ts',
      '.shoal/',
      // Other people's apps: their own folders, without our types.
      'e2e/embedding/apps/',
      '**/test-results/',
    ],
  },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 800 }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The compiler says it better, and knows the platform's types.
      'no-undef': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ['packages/**/*.ts', 'packages/**/*.tsx'],
    ignores: ['**/*.config.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
        { selector: 'ExportDefaultDeclaration', message: 'Exports have names.' },
      ],
    },
  },
  { files: CORE, ignores: [...TESTS, '**/web/**'], rules: noHiddenPorts },
  {
    // A simulation that looked at the real clock or real chance would not repeat from its seed.
    files: ['packages/testing/src/**/*.ts', 'packages/testing/models/**/*.ts'],
    ignores: ['**/cli*.ts', '**/*.test.ts'],
    rules: noHiddenPorts,
  },
  {
    // Node's own globals, for the plain scripts that run before anything is installed.
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        setImmediate: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  { files: ['scripts/main.mjs'], rules: { 'no-var': 'off' } },
  {
    // Programs that talk to a person on a terminal.
    files: [
      'scripts/**',
      'bench/**',
      'signaling-server/src/log.ts',
      'signaling-server/src/main.ts',
      '**/cli.ts',
      '**/cli/**',
      'e2e/**',
      '**/*.test.ts',
      'docs/**',
      // Where a tab's log and its tasks' lines reach the console, which is their place.
      'packages/node/src/web/**',
      'packages/sdk/src/session.ts',
      'packages/sdk/src/early-check.ts',
      'packages/sdk/src/testing/**',
      'packages/util/src/progress/**',
    ],
    rules: { 'no-console': 'off' },
  },
)
