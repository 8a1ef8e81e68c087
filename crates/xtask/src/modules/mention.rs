use std::fmt;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, File, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, Path, Token, UseTree, VisRestricted,
    Visibility,
};

/// A path as a file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// The parts of the path: `["crate", "cursor", "Cursor"]`.
    pub(super) path: Vec<String>,
    /// The module it is written in: that of the file, or one of braces within it.
    pub(super) inside: Vec<String>,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// How a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a `use`, which may name a child alone.
    Import,
    /// In a `use` that others see.
    Reexport,
    /// In code.
    Code,
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.path.join("::"))
    }
}

/// Every path in a file, without what is compiled for tests only.
pub(super) fn mentions(ast: &File, module: &[String], file: &str) -> Vec<Mention> {
    let mut reader = Reader { inside: module.to_vec(), file, found: Vec::new() };
    reader.visit_file(ast);
    reader.found
}

/// Whether these attributes keep an item for tests.
pub(super) fn for_tests(attributes: &[Attribute]) -> bool {
    let cfgs = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    cfgs.filter_map(|cfg| cfg.parse_args::<Meta>().ok()).any(|predicate| needs_test(&predicate))
}

/// `test` itself, and `all(…)` with it; `any(test, …)` is compiled without tests too.
fn needs_test(predicate: &Meta) -> bool {
    match predicate {
        Meta::Path(path) => path.is_ident("test") || path.is_ident("doctest"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(needs_test)),
        _ => false,
    }
}

struct Reader<'a> {
    inside: Vec<String>,
    file: &'a str,
    found: Vec<Mention>,
}

impl Reader<'_> {
    fn add(&mut self, path: Vec<String>, span: Span, kind: Kind) {
        let (inside, file) = (self.inside.clone(), self.file.to_owned());
        self.found.push(Mention { path, inside, file, line: span.start().line, kind });
    }

    fn add_use(&mut self, tree: &UseTree, before: &[String], kind: Kind) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(part) => self.add_use(&part.tree, &with(&part.ident), kind),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.add_use(item, before, kind)),
            UseTree::Glob(glob) => self.add(with(&"*"), glob.star_token.spans[0], kind),
            UseTree::Name(name) => self.add(with(&name.ident), name.ident.span(), kind),
            UseTree::Rename(rename) => self.add(with(&rename.ident), rename.ident.span(), kind),
        }
    }

    /// The paths in what only a macro understands: names with `::` between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(first) => {
                    let path = path_of(&tokens[at..]);
                    // Between two names stand two colons.
                    at += 3 * (path.len() - 1);
                    self.add(path, first.span(), Kind::Code);
                }
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }
}

/// The longest path that these tokens begin with.
fn path_of(tokens: &[TokenTree]) -> Vec<String> {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    match tokens {
        [TokenTree::Ident(name), one, two, rest @ ..] if is_colon(one) && is_colon(two) => {
            [vec![name.to_string()], path_of(rest)].concat()
        }
        [TokenTree::Ident(name), ..] => vec![name.to_string()],
        _ => Vec::new(),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        // What the body of a macro names is used where the macro is called.
        let defines_macro =
            matches!(item, Item::Macro(definition) if definition.mac.path.is_ident("macro_rules"));
        if !defines_macro && !for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if for_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let kind = match item.vis {
                Visibility::Inherited => Kind::Import,
                _ => Kind::Reexport,
            };
            self.add_use(&item.tree, &[], kind);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            let names = path.segments.iter().map(|part| part.ident.to_string()).collect();
            self.add(names, first.ident.span(), Kind::Code);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    /// What may see a name does not use it.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
