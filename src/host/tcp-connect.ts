// Whether something accepts a TCP connection at an address.

import { connect } from 'node:net'
import { ipOf } from '../peer/address.ts'

/** How long a connection may take, ms. */
export const CONNECT_TIMEOUT_MS = 3000

/** Whether something accepts a TCP connection at a canonical multiaddr. Nothing is sent. Never rejects. */
export function acceptsConnection(address: string): Promise<boolean> {
  const port = Number(address.split('/')[4])
  return new Promise((resolve) => {
    const socket = connect({ host: ipOf(address).text, port, timeout: CONNECT_TIMEOUT_MS })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}
