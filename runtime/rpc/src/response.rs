//! The headers and trailers of a response, as metadata when someone looks.

use std::sync::OnceLock;

use ringwire_http::Headers;
use ringwire_wire::Metadata;

use crate::Error;
use crate::protocol::{Protocol, TrailersPlace, is_status};

/// The headers and trailers of a response.
///
/// They stay in the form in which HTTP brought them, `F`, and become [`Metadata`] when they are first looked at.
#[derive(Clone, Debug)]
pub struct ResponseMetadata<F> {
    protocol: Option<&'static Protocol>,
    head: Option<F>,
    http_trailers: Option<Box<F>>,
    place: TrailersPlace,
    headers: OnceLock<Box<Metadata>>,
    trailers: OnceLock<Box<Metadata>>,
}

impl<F: Headers> ResponseMetadata<F> {
    /// Headers and trailers that are metadata already.
    pub fn new(headers: Metadata, trailers: Metadata) -> Self {
        Self {
            protocol: None,
            head: None,
            http_trailers: None,
            place: TrailersPlace::Own(trailers),
            headers: OnceLock::from(Box::new(headers)),
            trailers: OnceLock::new(),
        }
    }

    /// Those of a response in `protocol` that has not begun.
    pub(crate) fn of(protocol: &'static Protocol) -> Self {
        Self {
            protocol: Some(protocol),
            head: None,
            http_trailers: None,
            place: TrailersPlace::Unknown,
            headers: OnceLock::new(),
            trailers: OnceLock::new(),
        }
    }

    /// The headers of the response, those of the protocol among them; empty until they have come.
    pub fn headers(&self) -> &Metadata {
        if matches!(self.place, TrailersPlace::Head) {
            return NONE;
        }
        match (self.headers.get(), &self.head) {
            (Some(headers), _) => headers,
            (None, None) => NONE,
            (None, Some(head)) => self.headers.get_or_init(|| {
                Box::new(read(head, |name| self.trailer_name(name).is_none().then_some(name)))
            }),
        }
    }

    /// The trailers of the response; empty until its outcome is known.
    pub fn trailers(&self) -> &Metadata {
        let (fields, is_prefixed) = match &self.place {
            TrailersPlace::Unknown => return NONE,
            TrailersPlace::Own(trailers) => return trailers,
            TrailersPlace::Head => (self.head(), false),
            TrailersPlace::Http => (self.http_trailers(), false),
            TrailersPlace::Prefixed => (self.head(), true),
        };
        let Some(fields) = fields else { return NONE };
        self.trailers.get_or_init(|| {
            Box::new(match is_prefixed {
                true => read(fields, |name| self.trailer_name(name)),
                false => read(fields, |name| (!is_status(name)).then_some(name)),
            })
        })
    }

    /// The headers and the trailers, to keep.
    pub fn into_parts(mut self) -> (Metadata, Metadata) {
        let is_in_head = matches!(self.place, TrailersPlace::Head);
        // What nobody has looked at is read here.
        let _ = (self.headers(), self.trailers());
        let read = |read: &mut OnceLock<Box<Metadata>>| read.take().map_or_else(Metadata::new, |read| *read);
        let headers = if is_in_head { Metadata::new() } else { read(&mut self.headers) };
        let trailers = match self.place {
            TrailersPlace::Own(trailers) => trailers,
            TrailersPlace::Unknown => Metadata::new(),
            TrailersPlace::Head | TrailersPlace::Prefixed | TrailersPlace::Http => read(&mut self.trailers),
        };
        (headers, trailers)
    }

    pub(crate) fn head(&self) -> Option<&F> {
        self.head.as_ref()
    }

    pub(crate) fn http_trailers(&self) -> Option<&F> {
        self.http_trailers.as_deref()
    }

    pub(crate) fn set_head(&mut self, head: F) {
        self.head = Some(head);
    }

    pub(crate) fn set_http_trailers(&mut self, trailers: F) {
        self.http_trailers = Some(Box::new(trailers));
    }

    /// Says where the trailers are.
    pub(crate) fn set_trailers(&mut self, place: TrailersPlace) {
        self.place = place;
    }

    /// The response ends without an outcome: what it has of trailers is in its head.
    pub(crate) fn end_early(&mut self) {
        if matches!(self.place, TrailersPlace::Unknown) {
            self.place = TrailersPlace::Prefixed;
        }
    }

    fn trailer_name<'n>(&self, name: &'n str) -> Option<&'n str> {
        self.protocol?.client.trailer_name(name)
    }
}

/// Checks that fields are not too many.
pub(crate) fn check_size(fields: &dyn Headers, size_max: usize) -> Result<(), Error> {
    let mut size = 0;
    fields.for_each(&mut |name, value| size += name.len() + value.len() + FIELD_OVERHEAD);
    if size > size_max {
        return Err(too_large(size, size_max));
    }
    Ok(())
}

#[cold]
fn too_large(size: usize, size_max: usize) -> Error {
    Error::resource_exhausted(format!(
        "header fields of {size} bytes are more than the limit of {size_max} bytes"
    ))
}

/// The fields that have a name according to `rename`, as far as they are valid.
pub(crate) fn read(fields: &dyn Headers, rename: impl Fn(&str) -> Option<&str>) -> Metadata {
    let mut metadata = Metadata::new();
    fields.for_each(&mut |name, value| {
        if let Some(name) = rename(name) {
            // HTTP has let it through; what is no field of ours is left out.
            let _ = metadata.append_received(name, value);
        }
    });
    metadata
}

const NONE: &Metadata = &Metadata::new();
// What HTTP/2 counts beside a field's name and value.
const FIELD_OVERHEAD: usize = 32;
