//! rust-libp2p's own TCP transport, unmodified, as a program: it dials each multiaddr that it is told, one a line, and
//! prints a line for each: whether the transport took it, and whether something answered.

use std::{error::Error, time::Duration};

use libp2p::{
    Multiaddr, Transport,
    core::{
        Endpoint,
        transport::{DialOpts, PortUse},
    },
    tcp,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::timeout,
};

const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default());
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let address: Multiaddr = line.parse()?;
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (taken, connected) = match transport.dial(address, options) {
            Ok(dial) => (true, matches!(timeout(DIAL_TIMEOUT, dial).await, Ok(Ok(_)))),
            Err(_) => (false, false),
        };
        println!("{}", json!({ "taken": taken, "connected": connected }));
    }
    Ok(())
}
