//! Sockets and tasks.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::answer::Dropped;
use super::fetch::told;
use super::record::Direction;
use super::render::ApiVersion;
use super::world::{Clients, World};
use super::{RunningSimulator, SimulatorConfig, SimulatorError, api, control, life};

/// How often the state file is written when something changed.
const SAVE_EVERY: Duration = Duration::from_millis(200);

/// Addresses that callbacks come from, at most.
const SOURCES: u8 = 4;

/// The answer is withheld on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
struct ClosedOnPurpose;

/// Starts everything.
pub(super) async fn start(config: SimulatorConfig) -> Result<RunningSimulator, SimulatorError> {
    let listen = config.listen;
    let clients = Clients {
        any: client(&config, None)?,
        loopback: loopback_sources()
            .map(|source| client(&config, Some(source)))
            .collect::<Result<_, _>>()?,
    };
    let world = Arc::new(World::new(config.clone(), clients)?);
    let failed = |source| SimulatorError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let router = Router::new()
        .nest("/v2", api::router(Arc::clone(&world), ApiVersion::V2))
        .nest("/v2.1", api::router(Arc::clone(&world), ApiVersion::V2_1))
        .merge(control::router(Arc::clone(&world)));
    resume(&world);
    world.spawn(accept(Arc::clone(&world), listener, router));
    if world.config.state_file.is_some() {
        let world_ = Arc::clone(&world);
        world.tasks.spawn(async move {
            while world_
                .stop
                .run_until_cancelled(tokio::time::sleep(SAVE_EVERY))
                .await
                .is_some()
            {
                world_.save();
            }
            world_.save();
        });
    }
    Ok(RunningSimulator {
        addr,
        stop: world.stop.clone(),
        tasks: world.tasks.clone(),
    })
}

/// Faxes that were under way when the simulator stopped start over.
fn resume(world: &Arc<World>) {
    let unfinished: Vec<u64> = world
        .book()
        .faxes
        .values()
        .filter(|fax| fax.direction == Direction::Sent && !fax.is_final())
        .map(|fax| fax.id)
        .collect();
    for id in unfinished {
        world.spawn(life::lead(Arc::clone(world), id));
    }
}

async fn accept(world: Arc<World>, listener: TcpListener, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                world.spawn(connection(stream, router.clone()));
            }
            // Out of descriptors, most likely: give those in use time to go.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move {
            let response: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
            let response = response.unwrap_or_else(|never| match never {});
            if response.extensions().get::<Dropped>().is_some() {
                Err(ClosedOnPurpose)
            } else {
                Ok(response)
            }
        }
    });
    // Clients that leave are none of our business.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Addresses of this machine that callbacks to this machine come from in turn, as the vendor's come from several. Where
/// the system has no more than one, none.
fn loopback_sources() -> impl Iterator<Item = IpAddr> {
    (1..=SOURCES)
        .map(|last| IpAddr::from([127, 0, 0, last]))
        .filter(|source| std::net::TcpListener::bind((*source, 0)).is_ok())
}

/// A client that fetches documents and posts callbacks, from the address `source` if there is one. It trusts the authorities given, else the machine's; a
/// machine without any still serves addresses in clear.
fn client(config: &SimulatorConfig, source: Option<IpAddr>) -> Result<reqwest::Client, SimulatorError> {
    let failed = |error: reqwest::Error| SimulatorError::Client(told(&error));
    let builder = || {
        reqwest::Client::builder()
            .user_agent("faxgate-simulator")
            .local_address(source)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
    };
    if config.accept_invalid_certs {
        let builder = builder().tls_danger_accept_invalid_certs(true);
        return builder.build().map_err(failed);
    }
    if let Some(pem) = &config.trust_pem {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(failed)?;
        return builder().tls_certs_only(roots).build().map_err(failed);
    }
    builder()
        .build()
        .or_else(|_| builder().tls_certs_only([]).build())
        .map_err(failed)
}
