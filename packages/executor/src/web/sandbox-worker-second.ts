// The second stage of the sandbox worker's script (vite-plugin's staged-script.ts): its text is sent to workers that need it.
export { createSecondStage } from '../runner/second-stage.ts'
