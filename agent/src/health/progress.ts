// Its home is the common package, as the relay has it too.
export { Progress } from '@relay/common/progress'
