import { type MessageStream, type MultiaddrConnection, StreamMessageEvent } from '@libp2p/interface'

/**
 * Passes each message through `take`, which forwards what may go on. Not a 'message' listener: the first of these
 * starts the flow, and data that arrives early would be lost before its reader is there.
 */
export function interceptMessages(
  stream: MultiaddrConnection | MessageStream,
  take: (data: Data, dispatch: (data: Data) => void) => void,
): void {
  const dispatchEvent = stream.dispatchEvent.bind(stream)
  stream.dispatchEvent = (event) => {
    if (event.type !== 'message') {
      return dispatchEvent(event)
    }
    const { data } = event as StreamMessageEvent
    take(data, (some) => dispatchEvent(some === data ? event : new StreamMessageEvent(some)))
    return true
  }
}

export type Data = StreamMessageEvent['data']
