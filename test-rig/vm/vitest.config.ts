import { defineConfig } from 'vitest/config'

/** Tests in a virtual machine: too slow for the gate, started by `npm run test:vm`. */
export default defineConfig({
  test: {
    name: 'vm',
    include: ['test-rig/vm/test/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
})
