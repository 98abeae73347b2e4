//! Where requests go: `http://host[:port]`, `https://host[:port]` or `unix:/path`.

use crate::PoolError;
use http::uri::{Authority, Scheme, Uri};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::{fmt, str::FromStr};

/// A host and a port, to be resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Name {
    host: String,
    port: u16,
}

/// Where requests go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// TCP, with TLS or without.
    Host { scheme: Scheme, name: Name },
    /// A Unix socket, without TLS.
    Unix(PathBuf),
}

impl Name {
    /// A name, or an IP address without brackets, and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The host: a name, or an IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if the host is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port))
    }
}

impl Origin {
    /// The whole of it, its scheme too.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Host { scheme, name } => format!("{scheme}://{name}"),
            Self::Unix(_) => self.to_string(),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        matches!(self, Self::Host { scheme, .. } if *scheme == Scheme::HTTPS)
    }
}

impl FromStr for Origin {
    type Err = PoolError;

    fn from_str(origin: &str) -> Result<Self, PoolError> {
        let wrong = |reason| PoolError::Origin { origin: origin.to_owned(), reason };
        if let Some(path) = origin.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || !(path.starts_with('/') || origin == format!("unix:{path}")) {
                return Err(wrong("a Unix socket has a path"));
            }
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let uri: Uri = origin.parse().map_err(|_| wrong("not a URI"))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or_else(|| wrong("the scheme is missing"))?;
        let port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong("the scheme is neither http nor https")),
        };
        let authority: Authority = parts.authority.ok_or_else(|| wrong("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("user and password have no place here"));
        }
        if authority.host().is_empty() {
            return Err(wrong("the host is missing"));
        }
        let port = match authority.as_str()[authority.host().len()..].strip_prefix(':') {
            Some(_) => authority.port_u16().ok_or_else(|| wrong("the port is no port"))?,
            None => port,
        };
        if parts.path_and_query.is_some_and(|path| path != "/") {
            return Err(wrong("a path has no place here"));
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(Self::Host { scheme, name: Name::new(host, port) })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { name, .. } => name.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: &str, expected: &str) {
        let said = match origin.parse::<Origin>() {
            Ok(origin) => format!("{origin}{}", if origin.is_https() { " by TLS" } else { "" }),
            Err(PoolError::Origin { reason, .. }) => reason.to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, expected, "{origin}");
    }

    #[test]
    fn hosts_and_sockets_are_origins() {
        check("http://greet.example", "greet.example:80");
        check("https://greet.example/", "greet.example:443 by TLS");
        check("http://127.0.0.1:8080", "127.0.0.1:8080");
        check("https://[::1]:8443", "[::1]:8443 by TLS");
        check("http://[2001:db8::1]", "[2001:db8::1]:80");
        check("unix:/run/greet.sock", "unix:/run/greet.sock");
        check("unix:///run/greet.sock", "unix:/run/greet.sock");
        check("unix:greet.sock", "unix:greet.sock");
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        check("greet.example", "the scheme is missing");
        check("greet.example:80", "the scheme is missing");
        check("ftp://greet.example", "the scheme is neither http nor https");
        check("http://greet.example/v1", "a path has no place here");
        check("http://greet.example/?a", "a path has no place here");
        check("http://ada@greet.example", "user and password have no place here");
        check("http://greet.example:99999", "the port is no port");
        check("http://greet.example:", "the port is no port");
        check("http://", "not a URI");
        check("unix:", "a Unix socket has a path");
        check("unix://", "a Unix socket has a path");
        check("", "not a URI");
    }
}
