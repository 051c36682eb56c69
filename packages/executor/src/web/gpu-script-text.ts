/// <reference types="@shoal/vite-plugin/inline-worker" />
export { default as gpuScriptText } from './gpu-script.ts?shoal-inline'
