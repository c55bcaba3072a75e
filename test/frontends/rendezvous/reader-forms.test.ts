import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Connection } from '@libp2p/interface'
import { type AskWho, ReaderForms } from '../../../src/frontends/rendezvous/reader-forms.ts'

const CONNECTION = { remotePeer: { toString: () => 'peer' } } as Connection

it('a caller that could not be asked is asked again; one that answered, or did not, is not', async () => {
  const answers: Array<Awaited<ReturnType<AskWho>>> = [
    undefined,
    undefined,
    { agent: 'rust-libp2p/0.57.1', form: undefined },
  ]
  let asked = 0
  const forms = new ReaderForms(async () => answers[asked++])
  assert.equal(await forms.formOf(CONNECTION), undefined)
  assert.equal(await forms.formOf(CONNECTION), undefined)
  assert.equal(await forms.formOf(CONNECTION), 'routing-state')
  assert.equal(await forms.formOf(CONNECTION), 'routing-state')
  assert.equal(asked, 3)

  const silent = new ReaderForms(async () => {
    asked++
    return { agent: undefined, form: undefined }
  })
  await silent.formOf(CONNECTION)
  await silent.formOf(CONNECTION)
  assert.equal(asked, 4)
})
