//! rust-libp2p's own rendezvous server behaviour, unmodified, as a program: it prints where it listens, with `/p2p`, and
//! stays up until stdin ends. It takes registrations of a minute, which is less than its default.

use std::{error::Error, time::Duration};

use futures::StreamExt;
use libp2p::{
    SwarmBuilder, identify, noise,
    rendezvous::server,
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, stdin};

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    rendezvous: server::Behaviour,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| Behaviour {
            identify: identify::Behaviour::new(identify::Config::new("/interop/1.0.0".into(), key.public())),
            rendezvous: server::Behaviour::new(server::Config::default().with_min_ttl(90)),
        })?
        // The default hangs up as soon as no stream is open.
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;

    let mut end = [0];
    let mut stdin = stdin();
    loop {
        tokio::select! {
            _ = stdin.read(&mut end) => return Ok(()),
            event = swarm.select_next_some() => {
                if let SwarmEvent::NewListenAddr { address, .. } = event {
                    println!("{}", json!({ "address": address.with_p2p(*swarm.local_peer_id()).map_err(|_| "no /p2p")? }));
                }
            }
        }
    }
}
