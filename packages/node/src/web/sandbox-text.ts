export { secondStageText as text } from '@shoal/executor/second-stage-text'
