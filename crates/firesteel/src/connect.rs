//! `firesteel connect`: a Spark Connect server for PySpark clients.

use std::io::Write;
use std::net::SocketAddr;

use uuid::Uuid;

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
    let token = arguments.token.as_ref().map_or_else(Token::made, |token| Token::Given(token.clone()));
    let server = Server::start(config, bind, token.text().to_owned()).await?;
    sql::tell(&data);
    announce(server.address(), &token);
    interrupts.next().await;
    tokio::select! {
        () = server.shutdown() => {}
        interrupt = interrupts.next() => return Err(Failure::Interrupted(interrupt)),
    }
    data.shutdown().await;
    Ok(())
}

/// What clients have to give.
enum Token {
    /// By the user, who knows it and may not want to see it.
    Given(String),
    /// For this run, so that other users of this machine stay outside.
    Made(String),
}

impl Token {
    fn made() -> Self {
        Self::Made(Uuid::new_v4().simple().to_string())
    }

    fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Made(text) => text,
        }
    }
}

/// The address goes to standard output, so that scripts can read it.
fn announce(address: SocketAddr, token: &Token) {
    let host = if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
    let remote = format!("sc://{host}:{}", address.port());
    let (line, hint) = match token {
        Token::Given(_) => {
            (format!("SPARK_REMOTE={remote}"), "; clients give the token in SPARK_CONNECT_AUTHENTICATE_TOKEN")
        }
        Token::Made(text) => (format!("SPARK_REMOTE='{remote}/;token={text}'"), ""),
    };
    // Clients can still connect if nobody reads it.
    let _ = writeln!(std::io::stdout(), "{line}");
    let _ = writeln!(std::io::stderr(), "serving until Ctrl-C{hint}");
}
