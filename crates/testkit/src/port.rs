use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Below the range that Linux gives to outgoing connections (from 32768). A client that keeps trying to reach a
/// stopped server there could be given the server's own port, connect to itself, and so keep the server out.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
const ATTEMPTS: usize = 100;

/// How often a server is tried on another port, when somebody took the one it was given.
pub(crate) const START_ATTEMPTS: usize = 5;

/// A port of 127.0.0.1 on which nobody listens now. Somebody may by the time a server does, so callers retry.
pub(crate) fn free_port() -> Result<u16> {
    let span = u64::from(PORTS.end - PORTS.start);
    for _ in 0..ATTEMPTS {
        // A fresh RandomState is the random number of the standard library.
        let offset = u16::try_from(RandomState::new().build_hasher().finish() % span)?;
        let port = PORTS.start + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1 among {PORTS:?} in {ATTEMPTS} attempts")
}
