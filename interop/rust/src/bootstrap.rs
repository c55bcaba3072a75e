//! A client of /bootstrap/1.0.0 on rust-libp2p.

use std::{error::Error, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{PeerId, StreamProtocol};
use libp2p_stream::Control;
use serde_json::Value;

pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/bootstrap/1.0.0");

/// How long an exchange may take. The node's own deadlines add up to 11 s.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// The longest answer there is.
const MAX_ANSWER_BYTES: u64 = 512 << 10;

/// Sends one request and reads its answer: all there is to the protocol. The swarm has to be polled meanwhile.
pub async fn exchange(control: &mut Control, node: PeerId, request: &Value) -> Result<Value, Box<dyn Error>> {
    let mut stream = control.open_stream(node, PROTOCOL).await?;
    stream.write_all(format!("{request}\n").as_bytes()).await?;
    stream.close().await?; // our side only
    let mut line = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut line).await?;
    Ok(serde_json::from_slice(&line)?)
}
