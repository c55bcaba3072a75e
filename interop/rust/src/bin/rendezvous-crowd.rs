//! rust-libp2p's own rendezvous server behaviour, unmodified but for room for a crowd, as a program for bench/: it takes
//! the registrations of so many peers, each with an identity and a connection of its own, through memory, and then prints
//! where it listens, with `/p2p`, and how many are registered. It stays up until stdin ends.
//!
//! `rendezvous-crowd <namespace> <count>`

use std::{env, error::Error, net::Ipv4Addr, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, Transport,
    core::{muxing::StreamMuxerBox, transport::Boxed, transport::MemoryTransport, upgrade::Version},
    identity::Keypair,
    multiaddr::Protocol,
    noise,
    rendezvous::{MAX_TTL, Namespace, client, server},
    swarm::SwarmEvent,
    tcp, yamux,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, stdin};

type BoxError = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, BoxError>;

const INSIDE: u64 = 1;
/// Peers that register at a time.
const SIDE_BY_SIDE: usize = 32;
/// The default hangs up on whoever has no stream open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let namespace = Namespace::new(arguments.next().ok_or("the namespace is missing")?)?;
    let count: u32 = arguments.next().ok_or("the count is missing")?.parse()?;

    let mut swarm = server_swarm(count as usize)?;
    let address = listen(&mut swarm).await?;
    let point = *swarm.local_peer_id();
    let crowd = stream::iter(0..count)
        .map(move |number| register(number, namespace.clone(), point))
        .buffer_unordered(SIDE_BY_SIDE)
        .try_collect::<Vec<()>>();
    let mut crowd = tokio::spawn(crowd);
    let mut filled = false;
    let mut registered = 0;

    let mut end = [0];
    let mut stdin = stdin();
    loop {
        tokio::select! {
            _ = stdin.read(&mut end) => return Ok(()),
            result = &mut crowd, if !filled => {
                result??;
                filled = true;
                println!("{}", json!({ "address": address, "registered": registered }));
            }
            event = swarm.select_next_some() => {
                if !filled && let SwarmEvent::Behaviour(server::Event::PeerRegistered { .. }) = event {
                    registered += 1;
                }
            }
        }
    }
}

fn server_swarm(count: usize) -> Result<Swarm<server::Behaviour>> {
    // Twice the room, for those who come to measure. All else is as it is by default.
    let config = server::Config::default().with_max_registration_total(2 * count);
    Ok(SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_other_transport(memory)?
        .with_behaviour(|_| server::Behaviour::new(config))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
        .build())
}

async fn listen(swarm: &mut Swarm<server::Behaviour>) -> Result<Multiaddr> {
    swarm.listen_on(Protocol::Memory(INSIDE).into())?;
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await
            && matches!(address.iter().next(), Some(Protocol::Ip4(_)))
        {
            return address.with_p2p(*swarm.local_peer_id()).map_err(|_| "no /p2p".into());
        }
    }
}

/// A peer that comes, registers, and leaves.
async fn register(number: u32, namespace: Namespace, point: PeerId) -> Result<()> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_other_transport(memory)?
        .with_behaviour(|key| client::Behaviour::new(key.clone()))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
        .build();
    let ip = Ipv4Addr::from(u32::from(Ipv4Addr::new(11, 0, 0, 0)) + number);
    swarm.add_external_address(Multiaddr::from(ip).with(Protocol::Tcp(4001)));
    swarm.dial(Multiaddr::from(Protocol::Memory(INSIDE)))?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => {
                swarm.behaviour_mut().register(namespace.clone(), point, Some(MAX_TTL))?;
            }
            SwarmEvent::Behaviour(client::Event::Registered { .. }) => return Ok(()),
            SwarmEvent::Behaviour(client::Event::RegisterFailed { error, .. }) => {
                return Err(format!("peer {number} was refused: {error:?}").into());
            }
            SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.into()),
            _ => {}
        }
    }
}

fn memory(key: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    Ok(MemoryTransport::default()
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(key)?)
        .multiplex(yamux::Config::default())
        .boxed())
}
