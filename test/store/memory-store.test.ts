import { storeContract } from '../../src/store/contract.ts'
import { memoryStore } from '../../src/store/memory-store.ts'

storeContract('memory store', async () => {
  const store = memoryStore()
  return () => store
})
