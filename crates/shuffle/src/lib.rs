//! Where the rows between two stages lie: map outputs, how they are written, read back and thrown away.
//!
//! ```text
//!   map task --MapWriter--> ShuffleStore --MapOutput (sizes, key)--> driver
//!                               |                                      | which attempts count
//!   reduce task <--BatchStream--+<------------ MapOutput --------------+
//! ```
//!
//! An output that is to stay, because its rows are cached, is retained: it goes to disk, or goes, when memory is short.
//!
//! A map output belongs to the driver's record of it, never to an executor: whoever holds a [`MapOutput`] can read it.
//! [`LocalStore`] keeps batches as they are while a budget allows it and in local files of checksummed blocks beyond;
//! [`ObjectShuffleStore`] keeps each output as one object in S3 or any other `ObjectStore`.
//!
//! It must not know DataFusion, plans, the scheduler or which attempt won.

mod block;
mod error;
mod local;
mod local_writer;
mod object;
mod output;
mod retained;
mod size;
mod store;

pub use block::Compression;
pub use error::{Result, ShuffleError};
pub use local::LocalStore;
pub use object::{ObjectLocation, ObjectShuffleStore, RequestCounts, RequestPolicy};
pub use output::{MapOutput, PartitionSize};
pub use retained::{Hold, Residence};
pub use size::batch_bytes;
pub use store::{BatchStream, FixedBudget, MapWriter, MemoryBudget, ShuffleStore};
