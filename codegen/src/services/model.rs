//! A service, with every name that its Rust needs.

use crate::error::Error;
use crate::schema::text;
use crate::types::{Library, tokens};
use crate::{docs, names, place};
use buffa::Message as _;
use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::method_options::IdempotencyLevel;
use buffa_codegen::generated::descriptor::{FileDescriptorProto, MethodDescriptorProto};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;

/// A service, with every name that its Rust needs.
pub(crate) struct Service {
    /// `greet.v1.Greet`.
    pub(crate) full_name: String,
    /// The path of the runtime of servers.
    pub(crate) runtime: TokenStream,
    /// The path of the runtime of clients.
    pub(crate) client_runtime: TokenStream,
    /// The path of the runtime of mocks.
    pub(crate) local_runtime: TokenStream,
    /// The trait: `Greet`.
    pub(crate) handler: Ident,
    /// The server: `GreetServer`.
    pub(crate) server: Ident,
    /// The client: `GreetClient`.
    pub(crate) client: Ident,
    /// The mock: `MockGreet`.
    pub(crate) mock: Ident,
    /// Type parameters that no type of the package is named like: of a service, of a request, of its kind.
    pub(crate) parameters: [Ident; 3],
    pub(crate) docs: Vec<String>,
    pub(crate) deprecated: bool,
    pub(crate) methods: Vec<Method>,
}

/// A method, with every name that its Rust needs.
pub(crate) struct Method {
    /// Its name in the schema.
    pub(crate) name: String,
    /// `/greet.v1.Greet/Greet`.
    pub(crate) procedure: String,
    pub(crate) shape: Shape,
    pub(crate) idempotency: Idempotency,
    /// The function of the handler: `greet`.
    pub(crate) function: Ident,
    /// The form that writes the response itself: `greet_into`.
    pub(crate) into: Ident,
    /// The function of the client: `greet`, unless the client has one of that name already.
    pub(crate) client_function: Ident,
    /// The constant with the spec: `GREET`.
    pub(crate) constant: Ident,
    /// The constant of the client: `GREET`, unless its function is called the same.
    pub(crate) client_constant: Ident,
    pub(crate) request: TokenStream,
    /// The view of the request, without its lifetime.
    pub(crate) request_view: TokenStream,
    pub(crate) response: TokenStream,
    pub(crate) docs: Vec<String>,
    pub(crate) deprecated: bool,
    /// The fields of a `MethodDescriptor`, unless schemas are not asked for.
    pub(crate) descriptor: Option<TokenStream>,
}

/// How many messages travel each way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    Unary,
    ClientStream,
    ServerStream,
    Bidi,
}

impl Shape {
    /// Whether the method answers with one message.
    pub(crate) fn has_one_response(self) -> bool {
        matches!(self, Self::Unary | Self::ClientStream)
    }

    pub(crate) fn variant(self) -> Ident {
        format_ident!("{self:?}")
    }
}

/// What happens when a call is made twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Idempotency {
    Unknown,
    NoSideEffects,
    Idempotent,
}

impl Service {
    pub(crate) fn new(
        library: &Library<'_>,
        context: &CodeGenContext<'_>,
        file: &FileDescriptorProto,
        index: usize,
    ) -> Result<Self, Error> {
        let package = text(&file.package);
        let declared = &file.service[index];
        let name = text(&declared.name);
        let full_name = if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
        let path = place::join(&[], place::SERVICE, index);
        let mut methods = Vec::new();
        let mut taken = Taken::of(&declared.method);
        for (index, method) in declared.method.iter().enumerate() {
            let path = place::join(&path, place::METHOD, index);
            let found = Found { library, context, file, package, full_name: &full_name, path: &path };
            methods.push(found.method(method, &mut taken)?);
        }
        let types = Types { library, package };
        let handler = names::type_name(name);
        let handler = if types.is_view(&handler) { format!("{handler}_") } else { handler };
        Ok(Self {
            runtime: tokens(&library.request.options.runtime.service),
            local_runtime: tokens(&library.request.options.runtime.local),
            client_runtime: tokens(&library.request.options.runtime.client),
            server: types.free(format!("{handler}Server")),
            client: types.free(format!("{handler}Client")),
            mock: types.free_of_all(format!("Mock{handler}")),
            parameters: ["S", "T", "K"].map(|name| types.free(name.to_owned())),
            handler: format_ident!("{handler}"),
            docs: docs::comment(file, &path),
            deprecated: declared.options.as_option().is_some_and(|options| options.deprecated == Some(true)),
            full_name,
            methods,
        })
    }
}

/// The types of a package, beside which a service puts its own.
struct Types<'l, 'a> {
    library: &'l Library<'a>,
    package: &'l str,
}

impl Types<'_, '_> {
    /// The name, or with as many underscores as it takes for no type and no service of the package to be named so.
    fn free(&self, mut name: String) -> Ident {
        while self.has(&name) {
            name.push('_');
        }
        format_ident!("{name}")
    }

    /// The same for a name that could also be what another service's server or client is called.
    fn free_of_all(&self, name: String) -> Ident {
        let is_made = |name: &str| {
            ["Server", "Client"]
                .iter()
                .filter_map(|suffix| name.strip_suffix(suffix))
                .any(|service| self.services().any(|other| other == service))
        };
        let name = if is_made(&name) { format!("{name}_") } else { name };
        self.free(name)
    }

    /// Whether it is what the view of a message is called.
    fn is_view(&self, name: &str) -> bool {
        ["View", "OwnedView"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .any(|name| self.declares(name))
    }

    fn declares(&self, name: &str) -> bool {
        let prefix = if self.package.is_empty() { ".".to_owned() } else { format!(".{}.", self.package) };
        self.library.request.schema.declared(&format!("{prefix}{name}")).is_some()
    }

    fn has(&self, name: &str) -> bool {
        self.declares(name)
            || self.is_view(name)
            || self.library.renames.types().any(|renamed| renamed.rust == name)
            || self.services().any(|service| service == name)
    }

    /// The services of the package, as Rust names them.
    fn services(&self) -> impl Iterator<Item = String> + '_ {
        let in_package = |file: &&FileDescriptorProto| text(&file.package) == self.package;
        let services = self.library.files.iter().filter(in_package).flat_map(|file| &file.service);
        services.map(|service| names::type_name(text(&service.name)))
    }
}

/// Names of functions and constants that are given out.
struct Taken {
    functions: BTreeSet<String>,
    constants: BTreeSet<String>,
}

impl Taken {
    /// The functions of methods come first: the names of the forms that are made from them give way.
    fn of(methods: &[MethodDescriptorProto]) -> Self {
        let functions = methods.iter().map(|method| names::snake(text(&method.name))).collect();
        Self { functions, constants: BTreeSet::new() }
    }
}

/// Where a method was found.
struct Found<'f, 'a> {
    library: &'f Library<'a>,
    context: &'f CodeGenContext<'f>,
    file: &'f FileDescriptorProto,
    package: &'f str,
    full_name: &'f str,
    path: &'f [i32],
}

impl Found<'_, '_> {
    fn method(&self, method: &MethodDescriptorProto, taken: &mut Taken) -> Result<Method, Error> {
        let name = text(&method.name);
        let constant = names::unique(&mut taken.constants, names::constant(name));
        // The constants of two methods meet exactly when their functions do, and are told apart in the same way.
        let suffix = &constant[names::constant(name).len()..];
        let function = format!("{}{suffix}", names::snake(name));
        let into = names::unique(&mut taken.functions, format!("{}_into", names::snake(name)));
        let client_function = match function.as_str() {
            CONSTRUCTOR => names::unique(&mut taken.functions, format!("{CONSTRUCTOR}_")),
            _ => function.clone(),
        };
        // A name without letters is the same in capitals.
        let client_constant = match constant == client_function {
            true => names::unique(&mut taken.constants, format!("{constant}_")),
            false => constant.clone(),
        };
        let options = method.options.as_option();
        Ok(Method {
            procedure: format!("/{}/{name}", self.full_name),
            shape: match (method.client_streaming, method.server_streaming) {
                (Some(true), Some(true)) => Shape::Bidi,
                (Some(true), _) => Shape::ClientStream,
                (_, Some(true)) => Shape::ServerStream,
                _ => Shape::Unary,
            },
            idempotency: match options.and_then(|options| options.idempotency_level) {
                Some(IdempotencyLevel::NO_SIDE_EFFECTS) => Idempotency::NoSideEffects,
                Some(IdempotencyLevel::IDEMPOTENT) => Idempotency::Idempotent,
                Some(IdempotencyLevel::IDEMPOTENCY_UNKNOWN) | None => Idempotency::Unknown,
            },
            function: names::function(&function),
            into: format_ident!("{into}"),
            client_function: names::function(&client_function),
            constant: format_ident!("{constant}"),
            client_constant: format_ident!("{client_constant}"),
            request: self.message(text(&method.input_type))?,
            request_view: self.view(text(&method.input_type))?,
            response: self.message(text(&method.output_type))?,
            docs: docs::comment(self.file, self.path),
            deprecated: options.is_some_and(|options| options.deprecated == Some(true)),
            descriptor: self.descriptor(method),
            name: name.to_owned(),
        })
    }

    fn message(&self, type_name: &str) -> Result<TokenStream, Error> {
        Ok(tokens(&self.type_path(type_name)?))
    }

    /// The view where users find it, unless a message of their own has that name.
    fn view(&self, type_name: &str) -> Result<TokenStream, Error> {
        let path = self.type_path(type_name)?;
        let is_taken = self.library.request.schema.declared(&format!("{type_name}View")).is_some();
        if !is_taken {
            return Ok(tokens(&format!("{path}View")));
        }
        let schema_path = type_name.trim_start_matches('.');
        let package = self.library.files.iter().map(|file| text(&file.package));
        let package = package
            .filter(|package| schema_path.starts_with(&format!("{package}.")))
            .max_by_key(|it| it.len());
        let within = schema_path.strip_prefix(package.unwrap_or_default()).unwrap_or(schema_path);
        let depth = within.trim_start_matches('.').split('.').count();
        let mut parts: Vec<&str> = path.split("::").collect();
        let place = parts.len().saturating_sub(depth);
        parts.splice(place..place, ["__buffa", "view"]);
        Ok(tokens(&format!("{}View", parts.join("::"))))
    }

    fn type_path(&self, type_name: &str) -> Result<String, Error> {
        self.library.check_named(type_name, (text(&self.file.name), self.path))?;
        self.library.path(self.context, type_name, self.package).ok_or_else(|| {
            Error::new(format!("no type {type_name}")).at(self
                .library
                .request
                .schema
                .place(text(&self.file.name), self.path))
        })
    }

    fn descriptor(&self, method: &MethodDescriptorProto) -> Option<TokenStream> {
        let options = self.library.request.options;
        let files = super::files_path(self.package);
        let method = Literal::byte_string(&method.encode_to_vec());
        options.descriptors.then(|| quote!({ method: #method, files: #files }))
    }
}

/// The one function that clients and mocks have beside those of the schema.
const CONSTRUCTOR: &str = "new";
