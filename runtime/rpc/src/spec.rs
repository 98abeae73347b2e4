//! What is fixed about a method before any call is made.

/// A method as both sides know it. Generated code holds one in a `static` per method.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The path of the method: `/package.Service/Method`.
    pub procedure: &'static str,
    /// How many messages travel each way.
    pub shape: StreamShape,
    /// What happens when a call is made twice.
    pub idempotency: Idempotency,
    /// The schema of the method, with its custom options; `None` for methods made without one.
    pub descriptor: Option<&'static MethodDescriptor>,
}

/// How many messages travel each way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamShape {
    /// One request, one response.
    Unary,
    /// Many requests, one response.
    ClientStream,
    /// One request, many responses.
    ServerStream,
    /// Many requests, many responses.
    Bidi,
}

/// What happens when a call is made twice, as `idempotency_level` in the schema says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Idempotency {
    /// Nothing is known: a call must not be repeated.
    Unknown,
    /// Calls change nothing, so they may travel as cacheable GET requests.
    NoSideEffects,
    /// Calls may change something, but twice is the same as once.
    Idempotent,
}

/// The schema of a method in serialized form, decoded by whoever asks for it.
#[derive(Clone, Copy, Debug)]
pub struct MethodDescriptor {
    /// A serialized `google.protobuf.MethodDescriptorProto`, custom options included.
    pub method: &'static [u8],
    /// A serialized `google.protobuf.FileDescriptorSet` that holds the method's file and what that imports.
    pub files: &'static [u8],
}

impl Spec {
    /// A method about which only its path and shape are known.
    pub const fn new(procedure: &'static str, shape: StreamShape) -> Self {
        Self { procedure, shape, idempotency: Idempotency::Unknown, descriptor: None }
    }

    /// Says what happens when a call is made twice.
    #[must_use]
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Attaches the schema.
    #[must_use]
    pub const fn with_descriptor(mut self, descriptor: &'static MethodDescriptor) -> Self {
        self.descriptor = Some(descriptor);
        self
    }

    /// The path of the method, as the field of that name.
    pub const fn procedure(&self) -> &'static str {
        self.procedure
    }

    /// The service: `package.Service`.
    pub fn service(&self) -> &'static str {
        self.split().0
    }

    /// The method's name within its service.
    pub fn method(&self) -> &'static str {
        self.split().1
    }

    fn split(&self) -> (&'static str, &'static str) {
        let path = self.procedure.strip_prefix('/').unwrap_or(self.procedure);
        path.rsplit_once('/').unwrap_or(("", path))
    }
}

impl StreamShape {
    /// Whether the client sends exactly one message.
    pub const fn has_one_request(self) -> bool {
        matches!(self, Self::Unary | Self::ServerStream)
    }

    /// Whether the server sends exactly one message.
    pub const fn has_one_response(self) -> bool {
        matches!(self, Self::Unary | Self::ClientStream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procedure_splits_into_service_and_method() {
        let spec = Spec::new("/greet.v1.Greet/Greet", StreamShape::Unary);
        assert_eq!((spec.service(), spec.method()), ("greet.v1.Greet", "Greet"));
    }

    #[test]
    fn odd_procedures_split_without_panic() {
        for (procedure, service, method) in [("", "", ""), ("/", "", ""), ("a", "", "a"), ("//", "", "")] {
            let spec = Spec::new(procedure, StreamShape::Bidi);
            assert_eq!((spec.service(), spec.method()), (service, method), "{procedure:?}");
        }
    }
}
