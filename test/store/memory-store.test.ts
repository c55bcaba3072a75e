import { memoryStore } from '../../src/store/memory-store.ts'
import { storeContract } from './contract.ts'

storeContract('memory store', async () => {
  const store = memoryStore()
  return () => store
})
