//! A rust-libp2p peer of a bootstrap node. It listens on loopback, registers where it listens, and prints who it is and
//! the list it was answered with. Then it takes a command a line, and answers each with a line of JSON:
//!
//! - `ask <request>` sends a request as it is: `{"answer": …}`
//! - `find <peer id>` looks a peer up in the list, dials it, pings it, hangs up: `{"address": …, "rtt": seconds}`
//!
//! What fails is `{"error": …}`. It stays up until stdin ends. With `--identify record` it shows a signed record in
//! identify, which rust-libp2p does not do by itself.

mod bootstrap;

use std::{env, error::Error, future::Future, pin::pin, process::ExitCode};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, identify,
    identity::Keypair,
    multiaddr::Protocol,
    noise, ping,
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::timeout,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    stream: libp2p_stream::Behaviour,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", json!({ "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let node: Multiaddr = option("--bootstrap").ok_or("--bootstrap is missing")?.parse()?;
    let node_id = peer_id(&node).ok_or("--bootstrap has no /p2p")?;
    let network = option("--network").unwrap_or_default();
    let key = keypair(&option("--key").unwrap_or("ed25519".into()))?;

    let shows_record = option("--identify").as_deref() == Some("record");
    let mut peer = Peer { swarm: swarm(key, shows_record)?, node_id, network };
    let address = peer.listen().await?;
    peer.dial(node).await?;
    let answer = peer.ask(json!({ "address": address, "network": peer.network })).await?;
    println!("{}", json!({ "peerId": peer.swarm.local_peer_id().to_string(), "address": address, "answer": answer }));

    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = peer.polled(lines.next_line()).await? {
        let result = timeout(bootstrap::TIMEOUT, peer.obey(&line)).await.unwrap_or_else(|late| Err(late.into()));
        println!("{}", result.unwrap_or_else(|error| json!({ "error": error.to_string() })));
    }
    Ok(())
}

struct Peer {
    swarm: Swarm<Behaviour>,
    node_id: PeerId,
    network: String,
}

impl Peer {
    async fn obey(&mut self, line: &str) -> Result<Value> {
        match line.split_once(' ') {
            Some(("ask", request)) => Ok(json!({ "answer": self.ask(serde_json::from_str(request)?).await? })),
            Some(("find", id)) => self.find(id.parse()?).await,
            _ => Err(format!("no command {line:?}").into()),
        }
    }

    async fn ask(&mut self, request: Value) -> Result<Value> {
        let mut control = self.swarm.behaviour().stream.new_control();
        let node = self.node_id;
        self.polled(bootstrap::exchange(&mut control, node, &request)).await
    }

    async fn find(&mut self, id: PeerId) -> Result<Value> {
        let list = self.ask(json!({ "network": self.network })).await?;
        let addresses =
            list.as_array().into_iter().flatten().filter_map(|record| record["address"].as_str()?.parse().ok());
        let address = { addresses }.find(|address| peer_id(address) == Some(id)).ok_or("it is not on the list")?;
        self.dial(address.clone()).await?;
        // rust-libp2p pings whom it connects to at once, and every 15 s.
        let rtt = loop {
            if let SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) = self.swarm.select_next_some().await
                && ping.peer == id
            {
                break ping.result?;
            }
        };
        let _ = self.swarm.disconnect_peer_id(id);
        Ok(json!({ "address": address, "rtt": rtt.as_secs_f64() }))
    }

    async fn listen(&mut self) -> Result<Multiaddr> {
        let listener = self.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } if listener_id == listener => return Ok(address),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == listener => reason?,
                _ => {}
            }
        }
    }

    /// Ends when the connection is there: a new one, so that a ping follows.
    async fn dial(&mut self, address: Multiaddr) -> Result<()> {
        let options: DialOpts = address.into();
        let dialled = options.connection_id();
        self.swarm.dial(options)?;
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { connection_id, .. } if connection_id == dialled => return Ok(()),
                SwarmEvent::OutgoingConnectionError { connection_id, error, .. } if connection_id == dialled => {
                    Err(error)?
                }
                _ => {}
            }
        }
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

fn swarm(key: Keypair, shows_record: bool) -> Result<Swarm<Behaviour>> {
    let version = "/interop/1.0.0".to_string();
    let identify = if shows_record {
        identify::Config::new_with_signed_peer_record(version, &key)
    } else {
        identify::Config::new(version, key.public())
    };
    Ok(SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| Behaviour {
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            stream: libp2p_stream::Behaviour::new(),
        })?
        // The default hangs up as soon as no stream is open.
        .with_swarm_config(|config| config.with_idle_connection_timeout(bootstrap::TIMEOUT * 4))
        .build())
}

/// rust-libp2p makes no RSA keys, it only reads them: `rsa:<file>` is one in PKCS#8 DER.
fn keypair(key_type: &str) -> Result<Keypair> {
    match key_type.split_once(':') {
        None if key_type == "ed25519" => Ok(Keypair::generate_ed25519()),
        None if key_type == "secp256k1" => Ok(Keypair::generate_secp256k1()),
        None if key_type == "ecdsa" => Ok(Keypair::generate_ecdsa()),
        Some(("rsa", file)) => Ok(Keypair::rsa_from_pkcs8(&mut std::fs::read(file)?)?),
        _ => Err(format!("no key type {key_type:?}").into()),
    }
}

fn peer_id(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(id)) => Some(id),
        _ => None,
    }
}

/// The argument after the name.
fn option(name: &str) -> Option<String> {
    env::args().skip_while(|argument| argument != name).nth(1)
}
