//! Names the runtime's dependencies through the runtime, which is then all that generated messages depend on.

use proc_macro2::{Group, Literal, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, Item, ItemUse, Macro, Meta, Path, PathSegment, UsePath, UseTree, parse_quote};

/// Turns `::buffa::Message` into `::ringwire_message::buffa::Message`, wherever a path can stand.
pub(crate) struct Through {
    runtime: Path,
    /// The same, as text, for attributes that hold paths in literals.
    text: String,
}

impl Through {
    pub(crate) fn new(runtime: &str) -> Self {
        let runtime: Path = syn::parse2(crate::types::tokens(runtime)).expect("the path of a runtime is a path");
        Self { text: spelled(&runtime), runtime }
    }

    fn prefixed(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix("::")?;
        let first = rest.split("::").next()?;
        is_dependency(first).then(|| format!("{}::{rest}", self.text))
    }

    /// The same in text that nobody has parsed: the arguments of macros and of attributes.
    fn tokens(&self, tokens: TokenStream) -> TokenStream {
        let mut out = Vec::new();
        let mut before = Before::Nothing;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            if starts_path(&token) && before != Before::PathSegment {
                let Some(colon) = tokens.next_if(is_colon) else {
                    out.push(token);
                    continue;
                };
                match tokens.peek() {
                    Some(TokenTree::Ident(first)) if is_dependency(&first.to_string()) => {
                        out.extend(self.runtime.to_token_stream());
                        out.extend([token, colon]);
                    }
                    _ => out.extend([token, colon]),
                }
                before = Before::Nothing;
                continue;
            }
            before = Before::of(&token);
            out.push(match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.tokens(group.stream()));
                    inner.set_span(group.span());
                    TokenTree::Group(inner)
                }
                TokenTree::Literal(literal) => TokenTree::Literal(self.literal(literal)),
                other => other,
            });
        }
        out.into_iter().collect()
    }

    fn literal(&self, literal: Literal) -> Literal {
        let text = literal.to_string();
        let path = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        path.and_then(|path| self.prefixed(path)).map_or(literal, |path| Literal::string(&path))
    }

    fn serde_crate(&self) -> Attribute {
        let serde = format!("{}::serde", self.text);
        parse_quote!(#[serde(crate = #serde)])
    }
}

impl VisitMut for Through {
    fn visit_path_mut(&mut self, path: &mut Path) {
        let first = path.segments.first().map(|segment| segment.ident.to_string());
        if path.leading_colon.is_some() && first.as_deref().is_some_and(is_dependency) {
            let mut through = self.runtime.clone();
            through.segments.extend(std::mem::take(&mut path.segments));
            *path = through;
        }
        visit_mut::visit_path_mut(self, path);
    }

    fn visit_item_use_mut(&mut self, item: &mut ItemUse) {
        let UseTree::Path(UsePath { ident, .. }) = &item.tree else { return };
        if item.leading_colon.is_some() && is_dependency(&ident.to_string()) {
            for PathSegment { ident, .. } in self.runtime.segments.iter().rev() {
                let tree = std::mem::replace(&mut item.tree, UseTree::Glob(syn::UseGlob { star_token: <_>::default() }));
                let colon2_token = <_>::default();
                item.tree = UseTree::Path(UsePath { ident: ident.clone(), colon2_token, tree: Box::new(tree) });
            }
            item.leading_colon = self.runtime.leading_colon;
        }
    }

    fn visit_macro_mut(&mut self, item: &mut Macro) {
        self.visit_path_mut(&mut item.path);
        item.tokens = self.tokens(std::mem::take(&mut item.tokens));
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if let Meta::List(list) = &mut attribute.meta {
            list.tokens = self.tokens(std::mem::take(&mut list.tokens));
        }
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        visit_mut::visit_item_mut(self, item);
        let attributes = match item {
            Item::Struct(item) => &mut item.attrs,
            Item::Enum(item) => &mut item.attrs,
            _ => return,
        };
        if attributes.iter().any(derives_serde) {
            attributes.push(self.serde_crate());
        }
    }

    fn visit_fields_mut(&mut self, fields: &mut Fields) {
        visit_mut::visit_fields_mut(self, fields);
    }
}

/// Whether the attribute derives traits of serde, whose code needs to be told where serde is.
fn derives_serde(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let is_serde = |token: TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "serde");
    list.path.is_ident("derive") && list.tokens.clone().into_iter().any(is_serde)
}

/// What stands before two colons decides whether they start a path or go on with one.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Before {
    Nothing,
    PathSegment,
}

impl Before {
    fn of(token: &TokenTree) -> Self {
        match token {
            TokenTree::Ident(ident) => {
                let ident = ident.to_string();
                let is_segment = matches!(ident.as_str(), "self" | "Self" | "super" | "crate")
                    || !buffa_codegen::idents::is_rust_keyword(&ident);
                if is_segment { Self::PathSegment } else { Self::Nothing }
            }
            _ => Self::Nothing,
        }
    }
}

fn starts_path(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint)
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

fn is_dependency(krate: &str) -> bool {
    matches!(krate, "buffa" | "buffa_types" | "serde")
}

fn spelled(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
