//! Conditional requests: `If-Match` and its kin.

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use crate::store::Found;

/// What a reader demands of the object.
#[derive(Debug, Default)]
pub(crate) struct ReadCondition {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// What a writer demands of what stands in its place.
#[derive(Debug, Default)]
pub(crate) struct WriteCondition {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl ReadCondition {
    /// An ETag's condition stands above a date's.
    ///
    /// Errors: `PreconditionFailed`, or `NotModified`.
    pub(crate) fn check(&self, found: &Found) -> S3Result<()> {
        let modified = Timestamp::from(found.modified);
        let changed = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !matches(condition, found),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if changed {
            return Err(s3_error!(PreconditionFailed, "the object has changed"));
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, found),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged { Err(s3_error!(NotModified)) } else { Ok(()) }
    }

    /// The same for the source of a copy, where everything fails alike.
    pub(crate) fn check_source(&self, found: &Found) -> S3Result<()> {
        self.check(found)
            .map_err(|_| s3_error!(PreconditionFailed, "the source of the copy does not meet the condition"))
    }
}

impl WriteCondition {
    /// Errors: `PreconditionFailed`.
    pub(crate) fn check(&self, found: Option<&Found>) -> S3Result<()> {
        if let Some(condition) = &self.if_match
            && !found.is_some_and(|found| matches(condition, found))
        {
            return Err(s3_error!(PreconditionFailed, "the object is not the one that If-Match names"));
        }
        if let Some(condition) = &self.if_none_match
            && found.is_some_and(|found| matches(condition, found))
        {
            return Err(s3_error!(PreconditionFailed, "the object exists already"));
        }
        Ok(())
    }
}

fn matches(condition: &ETagCondition, found: &Found) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == found.etag,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use s3s::S3ErrorCode;
    use s3s::dto::ETag;

    use super::*;

    fn found() -> Found {
        Found { size: 1, modified: SystemTime::UNIX_EPOCH + Duration::from_secs(1000), etag: "a".to_owned() }
    }

    fn is(text: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(text.to_owned())))
    }

    fn at(seconds: u64) -> Option<Timestamp> {
        Some(Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
    }

    #[test]
    fn readers() {
        let failed = Some(S3ErrorCode::PreconditionFailed);
        let unchanged = Some(S3ErrorCode::NotModified);
        for (condition, expected) in [
            (ReadCondition::default(), None),
            (ReadCondition { if_match: is("a"), ..ReadCondition::default() }, None),
            (ReadCondition { if_match: is("b"), ..ReadCondition::default() }, failed.clone()),
            (ReadCondition { if_match: is("a"), if_unmodified_since: at(1), ..ReadCondition::default() }, None),
            (ReadCondition { if_unmodified_since: at(999), ..ReadCondition::default() }, failed),
            (ReadCondition { if_unmodified_since: at(1000), ..ReadCondition::default() }, None),
            (ReadCondition { if_none_match: is("a"), ..ReadCondition::default() }, unchanged.clone()),
            (ReadCondition { if_none_match: is("b"), ..ReadCondition::default() }, None),
            (ReadCondition { if_modified_since: at(1000), ..ReadCondition::default() }, unchanged),
            (ReadCondition { if_modified_since: at(999), ..ReadCondition::default() }, None),
        ] {
            let code = condition.check(&found()).err().map(|error| error.code().clone());
            assert_eq!(code, expected, "{condition:?}");
        }
    }

    #[test]
    fn writers() {
        let found = found();
        for (if_match, if_none_match, current, allowed) in [
            (None, None, Some(&found), true),
            (None, Some(ETagCondition::Any), None, true),
            (None, Some(ETagCondition::Any), Some(&found), false),
            (is("a"), None, Some(&found), true),
            (is("b"), None, Some(&found), false),
            (is("a"), None, None, false),
        ] {
            let condition = WriteCondition { if_match, if_none_match };
            assert_eq!(condition.check(current).is_ok(), allowed, "{condition:?}");
        }
    }
}
