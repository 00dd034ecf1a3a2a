//! A driver and its executors over real connections.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firesteel_model::SparkError;
use firesteel_model::error_class::DIVIDE_BY_ZERO;
use firesteel_model::ids::{Attempt, ExecutorId, Partition, StageId, TaskAttempt, TaskId};
use firesteel_rpc::{
    ApplicationAuthority, AttemptReport, BlobHash, DriverHandler, DriverServer, Hello, InputRef, Launch, Link,
    LinkEvent, Metrics, Order, Orders, Outcome, Report, ResultHeader, ResultReceiver, RpcError, Stop, Welcome,
};
use tokio::sync::Notify;

const KNOWN: BlobHash = BlobHash([7; 32]);

/// Notes what it hears.
#[derive(Default)]
struct Notes {
    orders: Mutex<Option<Orders>>,
    reports: Mutex<Vec<Report>>,
    gone: Notify,
}

#[async_trait]
impl DriverHandler for Notes {
    async fn registered(&self, hello: Hello, orders: Orders) -> Result<Welcome, RpcError> {
        if hello.executor != ExecutorId(3) {
            return Err(RpcError::Refused("a stranger".to_owned()));
        }
        *self.orders.lock().unwrap() = Some(orders);
        Ok(Welcome { heartbeat_interval: Duration::from_millis(250), application: "secret".into() })
    }

    async fn reported(&self, _: ExecutorId, report: Report) {
        self.reports.lock().unwrap().push(report);
    }

    async fn disconnected(&self, _: ExecutorId, _: u64) {
        self.gone.notify_one();
    }

    fn blob(&self, hash: BlobHash) -> Option<Bytes> {
        (hash == KNOWN).then(|| Bytes::from(vec![5; 3 << 20]))
    }

    async fn result(&self, header: ResultHeader, mut rows: ResultReceiver) -> Result<Bytes, SparkError> {
        if header.attempt != attempt(1) {
            return Err(SparkError::internal("nobody wants it"));
        }
        let mut taken = Vec::new();
        while let Some((partition, bytes)) = rows.next().await? {
            taken.push(partition as u8);
            taken.extend_from_slice(&bytes);
        }
        Ok(taken.into())
    }
}

fn attempt(partition: u32) -> TaskAttempt {
    TaskAttempt { task: TaskId { stage: StageId(1), partition: Partition(partition) }, attempt: Attempt(0) }
}

fn hello(executor: u64) -> Hello {
    Hello {
        executor: ExecutorId(executor),
        slots: 2,
        memory_bytes: 1 << 30,
        address: "here".to_owned(),
        running: vec![attempt(9)],
        draining: false,
    }
}

struct Driver {
    authority: ApplicationAuthority,
    notes: Arc<Notes>,
    server: DriverServer,
}

impl Driver {
    fn start() -> Self {
        let authority = ApplicationAuthority::new().unwrap();
        let notes = Arc::new(Notes::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = DriverServer::start(listener, authority.driver().unwrap(), Arc::clone(&notes) as _).unwrap();
        Self { authority, notes, server }
    }

    fn link(&self, authority: &ApplicationAuthority) -> Link {
        Link::new(&self.server.address().to_string(), &authority.executor("executor-3").unwrap()).unwrap()
    }

    fn order(&self, order: Order) {
        self.notes.orders.lock().unwrap().as_ref().unwrap().send(order).unwrap();
    }
}

#[tokio::test]
async fn orders_go_one_way_and_reports_the_other() {
    let driver = Driver::start();
    let link = driver.link(&driver.authority);
    let (welcome, mut session) = link.open(&hello(3)).await.unwrap();
    assert_eq!((welcome.heartbeat_interval.as_millis(), &welcome.application[..]), (250, b"secret".as_slice()));

    let inputs = vec![InputRef { stage: 0, outputs: KNOWN }];
    let launch = Launch { attempt: attempt(1), partition: 4, plan: KNOWN, inputs, to_driver: true };
    driver.order(Order::Launch(launch.clone()));
    driver.order(Order::Stop(Stop::Drained));
    let mut orders = Vec::new();
    while orders.len() < 2 {
        orders.extend(session.next().await.unwrap());
    }
    assert!(matches!(&orders[0], LinkEvent::Order(Order::Launch(heard)) if *heard == launch), "{orders:?}");
    assert!(matches!(&orders[1], LinkEvent::Order(Order::Stop(Stop::Drained))), "{orders:?}");

    let error = SparkError::new(&DIVIDE_BY_ZERO).param("config", "c").retryable();
    let ended = AttemptReport { attempt: attempt(1), outcome: Outcome::Failed(error), metrics: Metrics::default() };
    session.report(&Report { ended: vec![ended], draining: true, ..Report::default() }, 41).await.unwrap();
    let heard = session.next().await.unwrap();
    assert!(matches!(heard[..], [LinkEvent::Acknowledged(41)]), "{heard:?}");
    let reports = driver.notes.reports.lock().unwrap().clone();
    let Outcome::Failed(error) = &reports[0].ended[0].outcome else { panic!("{reports:?}") };
    assert!(error.class() == &DIVIDE_BY_ZERO && error.is_retryable() && reports[0].draining);

    drop(session);
    tokio::time::timeout(Duration::from_secs(10), driver.notes.gone.notified()).await.unwrap();
}

#[tokio::test]
async fn plans_are_fetched_and_results_taken() {
    let driver = Driver::start();
    let link = driver.link(&driver.authority);
    assert_eq!(link.fetch(KNOWN).await.unwrap(), vec![5; 3 << 20]);
    assert!(matches!(link.fetch(BlobHash([8; 32])).await, Err(RpcError::Gone(_))));

    let header = |partition| ResultHeader {
        executor: ExecutorId(3),
        attempt: attempt(partition),
        partitions: 2,
        schema: Bytes::new(),
    };
    let mut sender = link.put_result(header(1));
    sender.send(0, "a".into()).await.unwrap();
    sender.send(1, "b".into()).await.unwrap();
    assert_eq!(sender.finish().await.unwrap(), b"\0a\x01b".as_slice());

    let mut unwanted = link.put_result(header(2));
    // It may go on its way before the driver has answered.
    let _ = unwanted.send(0, "a".into()).await;
    assert!(unwanted.finish().await.is_err());
}

#[tokio::test]
async fn strangers_are_refused() {
    let driver = Driver::start();
    let link = driver.link(&driver.authority);
    assert!(matches!(link.open(&hello(4)).await, Err(RpcError::Refused(_))));
    let other = ApplicationAuthority::new().unwrap();
    let error = driver.link(&other).open(&hello(3)).await.unwrap_err();
    assert!(matches!(error, RpcError::Unreachable(_)), "{error}");
    assert!(driver.notes.orders.lock().unwrap().is_none());
}

#[tokio::test]
async fn a_driver_that_is_gone_is_told_from_one_that_refuses() {
    let driver = Driver::start();
    let link = driver.link(&driver.authority);
    let (_, mut session) = link.open(&hello(3)).await.unwrap();
    drop(driver);
    let error = tokio::time::timeout(Duration::from_secs(10), session.next()).await.unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(link.open(&hello(3)).await.unwrap_err().is_retryable());
}
