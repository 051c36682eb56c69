/// <reference types="@shoal/vite-plugin/inline-worker" />
export { default as secondStageText } from './sandbox-worker.ts?shoal-second'
