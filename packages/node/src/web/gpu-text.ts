export { gpuScriptText as text } from '@shoal/executor/gpu-script-text'
