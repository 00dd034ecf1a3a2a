//! Requests and bytes, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Requests sent to an object store, every try of them, and bytes moved.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct RequestCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl RequestCounts {
            /// What was counted since an earlier look.
            #[must_use]
            pub fn since(&self, earlier: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name),)* }
            }

            /// Both together.
            #[must_use]
            pub fn plus(&self, other: &Self) -> Self {
                Self { $($name: self.$name + other.$name,)* }
            }
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> RequestCounts {
                RequestCounts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Whole objects written.
    puts,
    /// Parts of large objects written.
    parts,
    /// Large objects begun, completed or given up.
    multiparts,
    /// Ranges read.
    gets,
    /// Objects asked for without their bytes.
    heads,
    /// Requests that delete up to a thousand objects.
    deletes,
    /// Pages listed.
    lists,
    /// Bytes of objects written.
    bytes_written,
    /// Bytes of objects read.
    bytes_read,
    /// Tries after the first.
    retries,
    /// Second requests for a slow one.
    hedges,
}

impl RequestCounts {
    /// Requests of all kinds.
    pub fn requests(&self) -> u64 {
        self.puts + self.parts + self.multiparts + self.gets + self.heads + self.deletes + self.lists
    }
}

/// Adds one.
pub(crate) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
