//! What can go wrong on the wire.

use firesteel_model::SparkError;

/// Variants by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The other side cannot be reached now; trying again may help.
    #[error("the driver cannot be reached: {0}")]
    Unreachable(String),
    /// The call was refused; trying again does not help.
    #[error("the driver refused: {0}")]
    Refused(String),
    /// What was asked for is not there any more.
    #[error("{0} is not there any more")]
    Gone(String),
    /// A message makes no sense.
    #[error("a message lacks {0}")]
    Malformed(&'static str),
    /// Certificates cannot be made or read.
    #[error("credentials: {0}")]
    Credentials(String),
    /// The address cannot be listened on.
    #[error("cannot listen")]
    Listen(#[source] std::io::Error),
}

impl RpcError {
    /// Whether another attempt may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

impl From<tonic::Status> for RpcError {
    fn from(status: tonic::Status) -> Self {
        use tonic::Code;
        let text = status.message().to_owned();
        match status.code() {
            Code::NotFound => Self::Gone(text),
            Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument | Code::FailedPrecondition => {
                Self::Refused(text)
            }
            code => Self::Unreachable(format!("{code:?}: {text}")),
        }
    }
}

impl From<tonic::transport::Error> for RpcError {
    fn from(error: tonic::transport::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        Self::Unreachable(text)
    }
}

impl From<RpcError> for SparkError {
    fn from(error: RpcError) -> Self {
        let retryable = error.is_retryable();
        let converted = Self::internal(error.to_string()).source(error);
        if retryable { converted.retryable() } else { converted }
    }
}
