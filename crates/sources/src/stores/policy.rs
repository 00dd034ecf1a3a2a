//! [`ClientPolicy`]: how long a bucket's client waits, and how often it asks.

use std::time::Duration;

use firesteel_model::conf;
use firesteel_model::runtime_conf::RuntimeConf;

/// Bounds of requests to buckets; the keys are those of Spark's S3 client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientPolicy {
    /// For making a connection.
    pub connect_timeout: Duration,
    /// For one request with its answer.
    pub request_timeout: Duration,
    /// A read of which nothing comes for this long is given up and asked for again.
    pub silence_max: Duration,
    /// A read that has no answer after this is asked for a second time; none never is.
    pub hedge_after: Option<Duration>,
    /// How often a request is repeated.
    pub retries_max: usize,
}

impl ClientPolicy {
    /// What the settings say.
    pub fn of_conf(conf: &RuntimeConf) -> Self {
        let time = |key| Duration::from_millis(conf.time_ms(key).max(1));
        let hedge_after = conf.time_ms(&conf::STORAGE_HEDGE_AFTER);
        let attempts = usize::try_from(conf.int(&conf::S3A_ATTEMPTS_MAXIMUM)).unwrap_or(1);
        Self {
            connect_timeout: time(&conf::S3A_CONNECTION_ESTABLISH_TIMEOUT),
            request_timeout: time(&conf::S3A_CONNECTION_REQUEST_TIMEOUT),
            silence_max: time(&conf::S3A_CONNECTION_TIMEOUT),
            hedge_after: (hedge_after > 0).then(|| Duration::from_millis(hedge_after)),
            retries_max: attempts.saturating_sub(1),
        }
    }
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self::of_conf(&RuntimeConf::new([]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_bounds() {
        let usual = ClientPolicy::default();
        assert_eq!((usual.silence_max, usual.retries_max), (Duration::from_secs(15), 8));
        assert_eq!(usual.hedge_after, Some(Duration::from_secs(1)));
        let set = [(conf::STORAGE_HEDGE_AFTER.name, "0"), (conf::S3A_CONNECTION_TIMEOUT.name, "200")];
        let set = RuntimeConf::new(set.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let set = ClientPolicy::of_conf(&set);
        assert_eq!((set.hedge_after, set.silence_max), (None, Duration::from_millis(200)));
    }
}
