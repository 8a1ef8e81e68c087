use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use syn::{File, Item};

use crate::modules::mention::{Kind, Mention, for_tests, mentions};

/// The modules of a crate. A module in braces is part of its file's module.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The modules that have a file, by path: the root, whose path is empty, is the first.
    files: Vec<Vec<String>>,
    /// Of every module, those in braces too, the index of the file that it stands in.
    places: BTreeMap<Vec<String>, usize>,
    /// What the root defines itself.
    root_items: BTreeSet<String>,
    mentions: Vec<(usize, Mention)>,
}

/// The edges between the modules with a file, each with all lines that make it.
pub(super) type Edges = BTreeMap<(usize, usize), Vec<Mention>>;

/// How the modules of a crate use each other.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) edges: Edges,
    /// Imports of a name that the root does not define.
    pub(super) from_root: Vec<Mention>,
}

/// Gives a file's text, by its path from the folder of lib.rs.
pub(super) type ReadFile<'a> = &'a dyn Fn(&str) -> io::Result<String>;

impl Tree {
    /// Reads a crate from its lib.rs on. Modules for tests are left out.
    pub(super) fn read(read: ReadFile<'_>) -> Result<Self> {
        let mut tree = Self::default();
        tree.add_file(&[], "lib.rs", read)?;
        Ok(tree)
    }

    /// How many modules have a file.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The name of a module, as its crate's code writes it.
    pub(super) fn name(&self, index: usize) -> String {
        let path = &self.files[index];
        if path.is_empty() { "the root".to_owned() } else { path.join("::") }
    }

    fn add_file(&mut self, path: &[String], file: &str, read: ReadFile<'_>) -> Result<()> {
        let text = read(file).with_context(|| format!("cannot read src/{file}"))?;
        let ast: File = syn::parse_file(&text).with_context(|| format!("cannot parse src/{file}"))?;
        let index = self.files.len();
        self.files.push(path.to_vec());
        if path.is_empty() {
            self.root_items = ast.items.iter().filter_map(defined_name).collect();
        }
        self.mentions.extend(mentions(&ast, path, file).into_iter().map(|mention| (index, mention)));
        self.add_modules(path, index, &ast.items, read)
    }

    fn add_modules(
        &mut self,
        path: &[String],
        index: usize,
        items: &[Item],
        read: ReadFile<'_>,
    ) -> Result<()> {
        self.places.insert(path.to_vec(), index);
        for item in items {
            let Item::Mod(module) = item else { continue };
            if for_tests(&module.attrs) {
                continue;
            }
            let child = [path, &[module.ident.to_string()]].concat();
            if let Some((_, items)) = &module.content {
                self.add_modules(&child, index, items, read)?;
            } else {
                let file = child.iter().collect::<PathBuf>().with_extension("rs");
                self.add_file(&child, &file.to_string_lossy(), read)?;
            }
        }
        Ok(())
    }

    /// How the modules use each other.
    pub(super) fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        for (from, mention) in &self.mentions {
            let Some(path) = self.resolved(mention) else { continue };
            let prefixes = (0..=path.len()).rev().map(|len| &path[..len]);
            let Some((module, to)) =
                prefixes.into_iter().find_map(|prefix| self.places.get(prefix).map(|place| (prefix, *place)))
            else {
                continue;
            };
            // The root exists to re-export: that is no use of what it re-exports.
            let is_reexport_of_root = *from == 0 && mention.kind == Kind::Reexport;
            let of_root = path.first().is_some_and(|name| self.root_items.contains(name));
            if to == *from || is_reexport_of_root {
                continue;
            }
            if module.is_empty() && !of_root {
                uses.from_root.push(mention.clone());
            } else {
                uses.edges.entry((*from, to)).or_default().push(mention.clone());
            }
        }
        uses
    }

    /// The path from the crate's root on, if the mention is one of this crate.
    fn resolved(&self, mention: &Mention) -> Option<Vec<String>> {
        let (first, rest) = mention.path.split_first()?;
        if rest.is_empty() && mention.kind == Kind::Code {
            // `self`, or a name that happens to be that of a module.
            return None;
        }
        let supers = mention.path.iter().take_while(|part| *part == "super").count();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&mention.inside, rest].concat()),
            "super" => {
                let kept = mention.inside.len().checked_sub(supers)?;
                Some([&mention.inside[..kept], &mention.path[supers..]].concat())
            }
            name => {
                let child = [&mention.inside[..], &[name.to_owned()]].concat();
                self.places.contains_key(&child).then(|| [&child, rest].concat())
            }
        }
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
