//! A libp2p node that finds the peers of its network: cargo run -- <bootstrap multiaddr> <network> <listen port>

use futures::StreamExt;
use libp2p::request_response::{Config, Event, Message, ProtocolSupport, json::Behaviour};
use libp2p::swarm::{SwarmEvent, dial_opts::DialOpts};
use libp2p::{Multiaddr, StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use serde_json::{Value, json};
use std::{env, error::Error, time::Duration};
use tokio::time::{Instant, sleep_until};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (target, first, refresh) = (8, Duration::from_millis(500), Duration::from_secs(300));
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, network, port] = &arguments[..] else { return Err("usage: <bootstrap> <network> <port>".into()) };
    let address: Multiaddr = address.parse()?;
    let node = DialOpts::from(address.clone()).get_peer_id().ok_or("the bootstrap has no /p2p")?;
    let protocol = (StreamProtocol::new("/bootstrap/1.0.0"), ProtocolSupport::Outbound);
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| Behaviour::<Value, Value>::new([protocol], Config::default()))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::MAX))
        .build();
    swarm.listen_on(format!("/ip4/0.0.0.0/tcp/{port}").parse()?)?;
    swarm.listen_on(format!("/ip6/::/tcp/{port}").parse()?)?;
    let request = json!({ "address": format!(":{port}"), "network": network, "limit": target, "explain": true });
    let (mut asked, mut wait, mut jitter) = (Instant::now(), Duration::ZERO, 1.0);
    loop {
        let enough = swarm.connected_peers().count() >= target;
        let event = tokio::select! {
            event = swarm.select_next_some() => event,
            _ = sleep_until(asked + if enough { refresh } else { wait }.mul_f64(jitter)) => {
                swarm.behaviour_mut().send_request_with_addresses(&node, request.clone(), vec![address.clone()]);
                asked = Instant::now() + refresh; // until there is an answer
                continue;
            }
        };
        let answer = match event {
            SwarmEvent::Behaviour(Event::Message { message: Message::Response { response, .. }, .. }) => response,
            SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => json!({ "error": error.to_string() }),
            SwarmEvent::ConnectionEstablished { peer_id: id, num_established: n, .. } if id != node && n.get() == 1 => {
                println!("connected {id}");
                continue;
            }
            _ => continue,
        };
        eprintln!("{answer}");
        let _ = swarm.disconnect_peer_id(node); // or it would count as a peer
        for peer in answer["peers"].as_array().into_iter().flatten() {
            let Ok(address) = peer["address"].as_str().unwrap_or_default().parse::<Multiaddr>() else { continue };
            let Some(id) = DialOpts::from(address.clone()).get_peer_id() else { continue };
            let _ = swarm.dial(DialOpts::peer_id(id).addresses(vec![address]).build()); // unless it is connected
        }
        let retry_after = answer["error"]["retryAfter"].as_f64().unwrap_or(0.0).clamp(0.0, 86_400.0);
        asked = Instant::now() + Duration::from_secs_f64(retry_after);
        (wait, jitter) = (if enough { first } else { refresh.min(2 * wait).max(first) }, rand::random_range(0.8..1.2));
    }
}
