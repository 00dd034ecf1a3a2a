//! `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Serves until `stop`. Ready means that the operator works or waits for its turn as leader.
pub(crate) async fn serve(address: SocketAddr, metrics: Arc<Metrics>, stop: CancellationToken) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let text = |State(metrics): State<Arc<Metrics>>| async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.text())
    };
    let routes = Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(|| async { "ok" }))
        .with_state(metrics);
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}
