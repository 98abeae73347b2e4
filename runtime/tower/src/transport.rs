//! The bytes of one connection: with or without TLS, and with those put back that told the HTTP version.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::detect::{self, Version};
use crate::tls::{ALPN_H2, Tls};

/// An open connection. One type for both cases, so that the HTTP implementations are compiled once.
pub(crate) struct Transport<I> {
    layer: Layer<I>,
    prefix: BytesMut,
}

/// What is known of a connection before its first request.
pub(crate) struct Opened<I> {
    pub(crate) transport: Transport<I>,
    pub(crate) version: Version,
    /// What the peer showed in DER, its own first; empty unless it was asked.
    pub(crate) certificates: Vec<Bytes>,
}

/// Does everything that comes before HTTP. The caller bounds how long it may take.
pub(crate) async fn open<I>(io: I, tls: Option<&Tls>) -> io::Result<Opened<I>>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let (mut layer, agreed, certificates) = match tls {
        None => (Layer::Plain { io }, None, Vec::new()),
        Some(tls) => {
            let stream = tls.acceptor().accept(io).await?;
            let (_, session) = stream.get_ref();
            let agreed = session
                .alpn_protocol()
                .map(|name| if name == ALPN_H2 { Version::Http2 } else { Version::Http1 });
            let certificates = session.peer_certificates().unwrap_or_default();
            let certificates = certificates.iter().map(|der| Bytes::copy_from_slice(der)).collect();
            (Layer::Tls { stream: Box::new(stream) }, agreed, certificates)
        }
    };
    let (version, prefix) = match agreed {
        Some(version) => (version, BytesMut::new()),
        None => detect::detect(&mut layer).await?,
    };
    Ok(Opened { transport: Transport { layer, prefix }, version, certificates })
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Transport<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.layer).poll_read(cx, buf);
        }
        let take = self.prefix.len().min(buf.remaining());
        buf.put_slice(&self.prefix[..take]);
        self.prefix.advance(take);
        if self.prefix.is_empty() {
            // An idle connection keeps no buffer that it no longer needs.
            self.prefix = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Transport<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.layer).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.layer).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.layer.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.layer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.layer).poll_shutdown(cx)
    }
}

enum Layer<I> {
    Plain { io: I },
    Tls { stream: Box<TlsStream<I>> },
}

macro_rules! either {
    ($layer:expr, $inner:ident => $call:expr) => {
        match $layer {
            Layer::Plain { io } => {
                let $inner = io;
                $call
            }
            Layer::Tls { stream } => {
                let $inner = stream;
                $call
            }
        }
    };
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncRead for Layer<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_read(cx, buf))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Layer<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        either!(self, inner => inner.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(cx))
    }
}
