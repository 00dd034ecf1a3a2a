//! [`Question`]: what is asked of a planning worker, where the user's Python decides on a plan.

use std::time::Duration;

use firesteel_model::{Result, SparkError, error_class};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::error::{crashed, failed};
use crate::function::PythonSession;
use crate::pool::WorkerPool;
use crate::wire::{END_OF_STREAM, EXCEPTION, Frame};
use crate::worker::Hold;

/// How long the user's code may think about a plan where the session sets no limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3600);
/// A part of an answer longer than this is taken for nonsense.
const PART_BYTES_MAX: usize = 1 << 30;

/// A question to one of PySpark's planning modules.
///
/// Flow: `of`, what the module wants to know in `frame`, `ask`; then the parts of the answer in their order, then `end`.
pub(crate) struct Question<'s> {
    pub(crate) frame: Frame,
    session: &'s PythonSession,
    python_version: &'s str,
}

/// What the user's code was about, for the error that its exception becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The `analyze` method of a table function.
    Analyze,
    /// A method of a data source: what was done to which part of it.
    Source { action: &'static str, part: &'static str },
}

/// The answer on its way.
///
/// Guarantees: dropped before its end, the worker is killed.
pub(crate) struct Answer {
    socket: BufReader<UnixStream>,
    hold: Hold,
    timeout: Duration,
    pub(crate) step: Step,
}

impl<'s> Question<'s> {
    /// A question to a module, for what was pickled by a version of Python.
    pub(crate) fn of(module: &str, session: &'s PythonSession, python_version: &'s str) -> Self {
        let mut frame = Frame::default();
        frame.text(module);
        frame.text(python_version);
        frame.surroundings(session);
        // No settings of the runner's.
        frame.count(0);
        Self { frame, session, python_version }
    }

    /// Sends it.
    pub(crate) async fn ask(mut self, pool: &WorkerPool, step: Step) -> Result<Answer> {
        self.frame.int(END_OF_STREAM);
        let worker = pool.lend(&self.session.worker.for_planning()).await?;
        worker.accepts(self.python_version)?;
        let (mut stream, hold) = (worker.stream, worker.hold);
        stream.write_all(&self.frame.0).await.map_err(|error| crashed(hold.pid).source(error))?;
        let timeout = match self.session.idle_timeout_s {
            0 => ANSWER_TIMEOUT,
            seconds => Duration::from_secs(seconds),
        };
        Ok(Answer { socket: BufReader::new(stream), hold, timeout, step })
    }
}

impl Step {
    fn failed(self, traceback: &str) -> SparkError {
        let traceback = traceback.trim_end();
        match self {
            Self::Analyze => {
                SparkError::new(&error_class::TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON).param("msg", traceback)
            }
            Self::Source { action, part } => SparkError::new(&error_class::PYTHON_DATA_SOURCE_ERROR)
                .param("action", action)
                .param("type", part)
                .param("msg", traceback),
        }
    }
}

impl Answer {
    /// A number.
    ///
    /// Errors: what an exception of the user's code becomes; the worker crashed or hangs.
    pub(crate) async fn int(&mut self) -> Result<i32> {
        let mut bytes = [0; 4];
        self.exact(&mut bytes).await?;
        match i32::from_be_bytes(bytes) {
            EXCEPTION => {
                self.exact(&mut bytes).await?;
                let traceback = self.sized(i32::from_be_bytes(bytes)).await?;
                Err(self.step.failed(&String::from_utf8_lossy(&traceback)))
            }
            number => Ok(number),
        }
    }

    /// A number of things.
    pub(crate) async fn count(&mut self) -> Result<usize> {
        usize::try_from(self.int().await?).map_err(|_| nonsense())
    }

    /// Bytes after their number.
    pub(crate) async fn bytes(&mut self) -> Result<Vec<u8>> {
        let length = self.int().await?;
        self.sized(length).await
    }

    /// Text after its length.
    pub(crate) async fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes().await?).map_err(|error| nonsense().source(error))
    }

    /// Takes the end; the worker is ready for more.
    pub(crate) async fn end(mut self) -> Result<()> {
        // Updates of accumulators, of which planning has none but those of profilers.
        for _ in 0..self.count().await? {
            self.bytes().await?;
        }
        let is_reusable = self.int().await? == END_OF_STREAM && self.socket.buffer().is_empty();
        if is_reusable {
            self.hold.give_back(self.socket.into_inner());
        }
        Ok(())
    }

    async fn sized(&mut self, length: i32) -> Result<Vec<u8>> {
        let length = usize::try_from(length).ok().filter(|length| *length <= PART_BYTES_MAX).ok_or_else(nonsense)?;
        let mut bytes = vec![0; length];
        self.exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn exact(&mut self, bytes: &mut [u8]) -> Result<()> {
        let pid = self.hold.pid;
        match tokio::time::timeout(self.timeout, self.socket.read_exact(bytes)).await {
            Ok(read) => read.map(drop).map_err(|error| crashed(pid).source(error)),
            Err(_) => {
                Err(failed(format!("a Python worker gave nothing for {} s and was stopped", self.timeout.as_secs())))
            }
        }
    }
}

fn nonsense() -> SparkError {
    SparkError::internal("a planning worker gave an answer that means nothing")
}
