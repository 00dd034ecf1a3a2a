//! [`Server`]: an application that Spark Connect clients reach.

use std::net::SocketAddr;
use std::sync::Arc;

use firesteel_connect::{ServerConfig, ServerHandle, serve};
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError};
use tokio::net::TcpListener;

use crate::application::{Application, EngineConfig};
use crate::engine::DriverEngine;

/// A running Connect server. Dropping it stops it without grace.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    application: Arc<Application>,
}

impl Server {
    /// Starts the engine and listens; every call must carry the token.
    ///
    /// Errors: the address is taken, settings make no sense.
    pub async fn start(config: EngineConfig, bind: SocketAddr, token: String) -> Result<Self> {
        let failed = |source| SparkError::internal(format!("cannot listen on {bind}")).source(source);
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let application = Application::start(config)?;
        let settings = Arc::new(RuntimeConf::new(application.conf.clone()));
        let engine = Arc::new(DriverEngine::new(Arc::clone(&application)));
        let handle = serve(listener, ServerConfig { engine, token: Some(token), settings, artifact_directory: None })?;
        Ok(Self { address, handle, application })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts the sessions that are open, as of each call.
    pub fn session_count(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        self.handle.session_count()
    }

    /// Cancels what runs, lets clients have their answers, throws away what jobs left and stops.
    pub async fn shutdown(self) {
        self.handle.shutdown().await;
        self.application.cluster.shutdown().await;
    }
}
