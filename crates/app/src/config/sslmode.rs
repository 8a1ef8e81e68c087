//! What is asked of TLS on the way to PostgreSQL.

use std::fmt;
use std::str::FromStr;

use crate::config::error::{ConfigError, shown};

/// How much of TLS is asked for on the way to PostgreSQL, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// As [`Prefer`](Self::Prefer).
    Allow,
    /// TLS where the server offers it; its certificate is not checked.
    Prefer,
    /// TLS. The certificate is checked as by [`VerifyCa`](Self::VerifyCa) where a root certificate is named, else not.
    Require,
    /// TLS, with a certificate of the root that is named or of a public authority, for whatever host.
    VerifyCa,
    /// TLS, with a certificate of the root that is named or of a public authority, for this host.
    VerifyFull,
}

impl SslMode {
    const ALL: [Self; 6] =
        [Self::Disable, Self::Allow, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// As PostgreSQL writes it: `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SslMode {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let rule = "must be disable, allow, prefer, require, verify-ca or verify-full";
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text.trim());
        known.ok_or_else(|| ConfigError::invalid("database.sslmode", rule, shown(text)))
    }
}
