//! rust-libp2p's own rendezvous client behaviour, unmodified, as a program: it connects to a rendezvous point, says who
//! it is, and takes a command a line, each answered with a line of JSON:
//!
//! - `register <namespace> <ttl>` → `{"ttl": …}`
//! - `discover <namespace> <limit>`, from the beginning → `{"peers": [{"peerId", "addresses", "ttl"}]}`
//! - `more <namespace> <limit>`, with the last cookie → the same
//! - `unregister <namespace>`, which has no response → `{}`
//! - `expired`, waits for a discovered peer to expire → `{"peerId": …}`
//!
//! What fails is `{"error": …}`. It stays up until stdin ends.

use std::{env, error::Error, future::Future, pin::pin, time::Duration};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, identify,
    multiaddr::Protocol,
    noise,
    rendezvous::{self, Cookie, Namespace, client},
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::timeout,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Longer than the shortest ttl that the bootstrap grants.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(80);

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    rendezvous: client::Behaviour,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let point: Multiaddr = env::args().nth(1).ok_or("the rendezvous point is missing")?.parse()?;
    let Some(Protocol::P2p(point_id)) = point.iter().last() else { return Err("it has no /p2p".into()) };
    let mut peer = Peer { swarm: swarm()?, point: point_id, cookie: None };
    let address = peer.listen().await?;
    peer.dial(point).await?;
    println!("{}", json!({ "peerId": peer.swarm.local_peer_id().to_string(), "address": address }));

    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = peer.polled(lines.next_line()).await? {
        let result = timeout(COMMAND_TIMEOUT, peer.obey(&line)).await.unwrap_or_else(|late| Err(late.into()));
        println!("{}", result.unwrap_or_else(|error| json!({ "error": error.to_string() })));
    }
    Ok(())
}

struct Peer {
    swarm: Swarm<Behaviour>,
    point: PeerId,
    cookie: Option<Cookie>,
}

impl Peer {
    async fn obey(&mut self, line: &str) -> Result<Value> {
        let words: Vec<&str> = line.split(' ').collect();
        let point = self.point;
        match words[..] {
            ["register", namespace, ttl] => {
                let ttl = Some(ttl.parse()?);
                self.rendezvous().register(Namespace::new(namespace.into())?, point, ttl)?;
                self.answer().await
            }
            ["discover", namespace, limit] => self.discover(namespace, None, limit.parse()?).await,
            ["more", namespace, limit] => self.discover(namespace, self.cookie.clone(), limit.parse()?).await,
            ["unregister", namespace] => {
                self.rendezvous().unregister(Namespace::new(namespace.into())?, point);
                Ok(json!({}))
            }
            ["expired"] => self.answer().await,
            _ => Err(format!("no command {line:?}").into()),
        }
    }

    async fn discover(&mut self, namespace: &str, cookie: Option<Cookie>, limit: u64) -> Result<Value> {
        let point = self.point;
        self.rendezvous().discover(Some(Namespace::new(namespace.into())?), cookie, Some(limit), point);
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Value> {
        loop {
            let SwarmEvent::Behaviour(BehaviourEvent::Rendezvous(event)) = self.swarm.select_next_some().await else {
                continue;
            };
            return match event {
                client::Event::Registered { ttl, .. } => Ok(json!({ "ttl": ttl })),
                client::Event::RegisterFailed { error, .. } | client::Event::DiscoverFailed { error, .. } => {
                    Err(format!("{error:?}").into())
                }
                client::Event::Discovered { registrations, cookie, .. } => {
                    self.cookie = Some(cookie);
                    let peers: Vec<Value> = registrations.iter().map(peer_of).collect();
                    Ok(json!({ "peers": peers }))
                }
                client::Event::Expired { peer } => Ok(json!({ "peerId": peer.to_string() })),
            };
        }
    }

    /// The behaviour does not register a peer that knows no external address of its own.
    async fn listen(&mut self) -> Result<Multiaddr> {
        self.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = self.swarm.select_next_some().await {
                self.swarm.add_external_address(address.clone());
                return Ok(address);
            }
        }
    }

    async fn dial(&mut self, address: Multiaddr) -> Result<()> {
        self.swarm.dial(address)?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { peer_id, .. } if peer_id == self.point => return Ok(()),
                SwarmEvent::OutgoingConnectionError { error, .. } => Err(error)?,
                _ => {}
            }
        }
    }

    fn rendezvous(&mut self) -> &mut client::Behaviour {
        &mut self.swarm.behaviour_mut().rendezvous
    }

    /// Nothing moves in a swarm that nobody polls.
    async fn polled<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                output = &mut future => return output,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
}

fn peer_of(registration: &rendezvous::Registration) -> Value {
    json!({
        "peerId": registration.record.peer_id().to_string(),
        "addresses": registration.record.addresses(),
        "ttl": registration.ttl,
    })
}

fn swarm() -> Result<Swarm<Behaviour>> {
    Ok(SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| Behaviour {
            identify: identify::Behaviour::new(identify::Config::new("/interop/1.0.0".into(), key.public())),
            rendezvous: client::Behaviour::new(key.clone()),
        })?
        // The default hangs up as soon as no stream is open.
        .with_swarm_config(|config| config.with_idle_connection_timeout(COMMAND_TIMEOUT * 2))
        .build())
}
