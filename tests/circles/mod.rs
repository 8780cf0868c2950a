//! Circles in the graph of files: files that import each other, directly or over others.
//!
//! A file imports another if it takes a name that is defined there. A `mod` line is no import, and neither is a
//! re-export: whoever takes a name by it imports the file that defines the name. What a child takes from its parent is
//! none either: it is a part of the parent in a file of its own, and sees what is private there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, join};

/// A `use` of one name; of all names of a module if it is called [`ALL`].
struct Import {
    name: String,
    path: Vec<String>,
    is_reexport: bool,
}

/// What a file imports, defines and names.
struct File {
    imports: Vec<Import>,
    /// Names of items at its top level.
    items: BTreeSet<String>,
    /// Paths such as `super::wire::encode`, and single words, all without imports.
    paths: Vec<Vec<String>>,
}

type Files = BTreeMap<String, File>;
type Edges = BTreeMap<String, BTreeSet<String>>;

/// What a path leads to.
enum Target {
    Module(String),
    /// Something that is defined in this module.
    Item(String),
}

const ALL: &str = "*";
/// Re-exports of re-exports that are followed.
const REEXPORTS_MAX: usize = 16;

/// Groups of modules, each of which imports every other of the group, directly or over others.
pub(crate) fn circles(sources: &[Source]) -> Vec<BTreeSet<String>> {
    let edges = edges(sources);
    let reached: BTreeMap<_, _> = edges.keys().map(|from| (from, reach(&edges, from))).collect();
    let in_circle = |from: &String| -> BTreeSet<String> {
        reached[from].iter().filter(|to| reached[**to].contains(from)).map(|to| (*to).clone()).collect()
    };
    let circles: BTreeSet<_> = edges.keys().map(in_circle).filter(|circle| !circle.is_empty()).collect();
    circles.into_iter().collect()
}

/// Which modules each module imports from.
pub(crate) fn edges(sources: &[Source]) -> Edges {
    let files: Files = sources.iter().map(|source| (source.module.clone(), File::read(source))).collect();
    let imported = |(module, file): (&String, &File)| {
        let imports = file.imports.iter().filter(|import| !import.is_reexport || file.names(&import.name));
        let taken = imports.filter_map(|import| match locate(&files, module, &import.path, REEXPORTS_MAX)? {
            Target::Item(home) => Some(home),
            Target::Module(home) => (import.name == ALL).then_some(home),
        });
        let named = file.paths.iter().filter(|path| path.len() > 1);
        let named = named.filter_map(|path| match locate(&files, module, path, REEXPORTS_MAX)? {
            Target::Item(home) => Some(home),
            Target::Module(_) => None,
        });
        (module.clone(), taken.chain(named).filter(|home| !is_part_of(module, home)).collect())
    };
    files.iter().map(imported).collect()
}

/// The module itself, or one that it stands in.
fn is_part_of(module: &str, whole: &str) -> bool {
    whole.is_empty() || module == whole || module.starts_with(&format!("{whole}::"))
}

fn reach<'a>(edges: &'a Edges, from: &str) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&String> = edges[from].iter().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&edges[module]);
        }
    }
    reached
}

/// Follows a path that stands in `module`; `None` if it leads out of this crate.
fn locate(files: &Files, module: &str, path: &[String], reexports: usize) -> Option<Target> {
    let (mut at, mut rest) = (module.to_owned(), path);
    let mut is_ours = false;
    while let [first, others @ ..] = rest {
        match first.as_str() {
            "crate" => at.clear(),
            "super" => at = at.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned()),
            "self" => {}
            _ => break,
        }
        (is_ours, rest) = (true, others);
    }
    for name in rest {
        match find(files, &at, name, reexports) {
            Some(Target::Module(module)) => (at, is_ours) = (module, true),
            Some(Target::Item(home)) => return Some(Target::Item(home)),
            None => return is_ours.then_some(Target::Item(at)),
        }
    }
    Some(Target::Module(at))
}

/// What a module calls by this name.
fn find(files: &Files, module: &str, name: &str, reexports: usize) -> Option<Target> {
    let below = join(module, name);
    if files.contains_key(&below) {
        return Some(Target::Module(below));
    }
    let file = files.get(module)?;
    if file.items.contains(name) {
        return Some(Target::Item(module.to_owned()));
    }
    let fewer = reexports.checked_sub(1)?;
    let import = file.imports.iter().find(|import| import.name == name);
    let all = || file.imports.iter().filter(|import| import.name == ALL);
    import.and_then(|import| locate(files, module, &import.path, fewer)).or_else(|| {
        all().find_map(|import| match locate(files, module, &import.path, fewer)? {
            Target::Module(from) if from != module => find(files, &from, name, fewer),
            Target::Module(_) | Target::Item(_) => None,
        })
    })
}

impl File {
    fn read(source: &Source) -> Self {
        let mut file = Self { imports: Vec::new(), items: BTreeSet::new(), paths: Vec::new() };
        for (_, line) in &source.lines {
            let code = line.split("//").next().unwrap_or_default();
            match code.trim_start().split_once("use ") {
                Some((visibility, tree)) if is_visibility(visibility) => {
                    let mut imports = Vec::new();
                    names(&mut tokens(tree).into_iter(), &[], &mut imports);
                    let is_reexport = !visibility.is_empty();
                    let imports = imports.into_iter().map(|(name, path)| Import { name, path, is_reexport });
                    file.imports.extend(imports);
                }
                Some(_) | None => {
                    file.items.extend(item(code));
                    file.paths.extend(paths(code));
                }
            }
        }
        file
    }

    /// The name stands somewhere beside the imports.
    fn names(&self, name: &str) -> bool {
        self.paths.iter().any(|path| path[0] == name)
    }
}

/// What stands before `use` or an item.
pub(crate) fn is_visibility(text: &str) -> bool {
    text.is_empty() || text == "pub " || (text.starts_with("pub(") && text.ends_with(") "))
}

/// Words, braces, commas and stars.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    for c in text.chars() {
        match tokens.last_mut() {
            Some(word) if c.is_alphanumeric() || c == '_' => word.push(c),
            Some(_) | None if "{},*".contains(c) => tokens.extend([c.to_string(), String::new()]),
            Some(_) | None => tokens.push(String::new()),
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Each name of a list of imports up to its closing brace, with its path.
fn names(tokens: &mut impl Iterator<Item = String>, above: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let (mut path, mut alias) = (above.to_vec(), None);
    loop {
        let token = tokens.next();
        match token.as_deref() {
            Some("{") => {
                let tokens: &mut dyn Iterator<Item = String> = tokens;
                names(&mut { tokens }, &path, found);
                path.truncate(above.len());
            }
            Some("as") => alias = tokens.next(),
            None | Some("," | "}") => {
                if path.len() > above.len() {
                    found.push(named(std::mem::replace(&mut path, above.to_vec()), alias.take()));
                }
                if token.as_deref() != Some(",") {
                    return;
                }
            }
            Some(word) => path.push(word.to_owned()),
        }
    }
}

fn named(mut path: Vec<String>, alias: Option<String>) -> (String, Vec<String>) {
    let is_part_of_name = |last: &String| last == ALL || (last == "self" && path.len() > 1);
    let last = path.last().cloned().unwrap_or_default();
    if is_part_of_name(&last) {
        path.pop();
    }
    let name = if last == "self" { path.last().cloned().unwrap_or_default() } else { last };
    (alias.unwrap_or(name), path)
}

/// The name of an item that a line at the top level defines.
fn item(line: &str) -> Option<String> {
    const KINDS: [&str; 9] = ["struct", "enum", "trait", "fn", "const", "static", "type", "union", "macro_rules"];
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let words: Vec<_> =
        tokens(line).into_iter().filter(|word| !["pub", "crate", "super", "in"].contains(&&**word)).collect();
    let at = words.iter().position(|word| KINDS.contains(&word.as_str()))?;
    // `const fn`, `async fn`; but not `impl Fn`, whose line has no such words before.
    let at = if words[at] == "const" && words.get(at + 1).is_some_and(|word| word == "fn") { at + 1 } else { at };
    words.get(at + 1).cloned()
}

/// The paths of a line: words with `::` between them.
fn paths(line: &str) -> Vec<Vec<String>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let pieces = line.split(|c: char| !is_part(c));
    let paths = pieces.map(|piece| piece.split("::").map(|word| word.trim_matches(':').to_owned()));
    paths.map(|path| path.filter(|word| !word.is_empty()).collect::<Vec<_>>()).filter(|path| !path.is_empty()).collect()
}
