//! Pure builders of the objects that a job's pods consist of.
//!
//! ```text
//!   SparkJob, attempt --names--> names and labels
//!                     --pod----> a restricted pod --storage--> credentials --template--> the user's own parts
//! ```
//!
//! Everything is JSON, as it goes to the Kubernetes API: whoever applies it needs no further types.

pub mod executor;
pub mod names;
pub mod pod;
pub mod storage;
pub mod template;
