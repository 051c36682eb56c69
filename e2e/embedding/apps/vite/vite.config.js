import { shoal } from '@shoal/sdk/vite'

export default { plugins: [shoal()], build: { rolldownOptions: { input: ['index.html', 'strict-mode.html'] } } }
