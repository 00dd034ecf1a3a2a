//! `firesteel connect`: a Spark Connect server for PySpark clients.

use std::io::Write;
use std::net::SocketAddr;

use crate::arguments::Connect;
use crate::data::Data;
use crate::engine::{EngineConfig, Server};
use crate::environment::own_python;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::sql;

/// Runs the command, until it is interrupted; that is its good end.
pub(crate) async fn connect(arguments: Connect) -> Result<(), Failure> {
    if !arguments.host.is_loopback() && arguments.token.is_none() {
        let message = "listening on more than this machine needs --token (or FIRESTEEL_TOKEN)";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_session(&arguments.session).await?;
    let config = EngineConfig {
        connections: data.connections.clone(),
        conf: arguments.session.conf(),
        python: own_python(),
        ..EngineConfig::default()
    };
    let bind = SocketAddr::from((arguments.host, arguments.port));
    let server = Server::start(config, bind, arguments.token.clone()).await?;
    sql::tell(&data);
    announce(server.address(), arguments.token.is_some());
    interrupts.next().await;
    tokio::select! {
        () = server.shutdown() => {}
        interrupt = interrupts.next() => return Err(Failure::Interrupted(interrupt)),
    }
    data.shutdown().await;
    Ok(())
}

/// The address goes to standard output, so that scripts can read it.
fn announce(address: SocketAddr, wants_token: bool) {
    let host = if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
    let hint = if wants_token { "; clients give the token in SPARK_CONNECT_AUTHENTICATE_TOKEN" } else { "" };
    // Clients can still connect if nobody reads it.
    let _ = writeln!(std::io::stdout(), "SPARK_REMOTE=sc://{host}:{}", address.port());
    let _ = writeln!(std::io::stderr(), "serving until Ctrl-C{hint}");
}
