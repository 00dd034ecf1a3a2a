//! Hadoop's globs: `*`, `?`, `[a-z]`, `[^a]`, `{x,y}`, `\` before a character.

use std::sync::Arc;

use firesteel_model::{Result, SparkError, error_class};
use object_store::path::Path;

use crate::error::from_store;
use crate::stores::{Location, StoreRegistry};

/// The locations that a path with globs means; the path itself if it has none.
///
/// Errors: `PATH_NOT_FOUND` where nothing matches.
pub(super) async fn expand(stores: &Arc<StoreRegistry>, path: &str) -> Result<Vec<Location>> {
    if !is_glob(path) {
        return Ok(vec![stores.resolve(path)?]);
    }
    let mut found = Vec::new();
    for pattern in braces(path) {
        found.extend(matching(stores, &pattern).await?);
    }
    if found.is_empty() {
        return Err(SparkError::new(&error_class::PATH_NOT_FOUND).param("path", path));
    }
    Ok(found)
}

async fn matching(stores: &Arc<StoreRegistry>, pattern: &str) -> Result<Vec<Location>> {
    let location = stores.resolve(pattern)?;
    let segments: Vec<String> = location.path.as_ref().split('/').map(str::to_owned).collect();
    // The last one is looked up too: of the alternatives in braces those count that are there.
    let fixed = segments.iter().take_while(|segment| !is_glob(segment)).count().min(segments.len() - 1);
    let mut paths = vec![segments[..fixed].join("/")];
    for (index, segment) in segments.iter().enumerate().skip(fixed) {
        let is_last = index + 1 == segments.len();
        let mut next = Vec::new();
        for path in paths {
            next.extend(children(&location, &path, segment, is_last).await?);
        }
        paths = next;
    }
    let parse = |path: String| Path::parse(&path).ok().map(|path| location.at(path));
    Ok(paths.into_iter().filter_map(parse).collect())
}

async fn children(location: &Location, parent: &str, segment: &str, is_last: bool) -> Result<Vec<String>> {
    let join = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
    if !is_glob(segment) && !is_last {
        return Ok(vec![join(segment)]);
    }
    let prefix = Path::parse(parent).map_err(|error| from_store(error.into(), parent))?;
    let prefix = Some(&prefix).filter(|path| !path.as_ref().is_empty());
    let listed = location.store.list_with_delimiter(prefix).await;
    let listed = listed.map_err(|error| from_store(error, &location.show()))?;
    let files = listed.objects.iter().map(|object| &object.location).filter(|_| is_last);
    let names = listed.common_prefixes.iter().chain(files).filter_map(Path::filename);
    let mut names: Vec<_> = names.filter(|name| matches_glob(segment, name)).map(join).collect();
    names.sort();
    Ok(names)
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Replaces the first `{a,b}` by its alternatives, and so on.
fn braces(pattern: &str) -> Vec<String> {
    let Some(open) = pattern.find('{') else { return vec![pattern.to_owned()] };
    let mut depth = 0;
    let mut alternatives = Vec::new();
    let mut start = open + 1;
    for (index, c) in pattern.char_indices().skip_while(|(index, _)| *index < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                alternatives.push(&pattern[start..index]);
                start = index + 1;
            }
            '}' if depth == 1 => {
                alternatives.push(&pattern[start..index]);
                let (before, after) = (&pattern[..open], &pattern[index + 1..]);
                return alternatives.iter().flat_map(|text| braces(&format!("{before}{text}{after}"))).collect();
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    vec![pattern.to_owned()]
}

/// Whether a name matches a glob without slashes.
pub(super) fn matches_glob(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    braces(pattern).iter().any(|pattern| matches(&pattern.chars().collect::<Vec<_>>(), &name))
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        (['?', rest @ ..], [_, tail @ ..]) => matches(rest, tail),
        (['\\', literal, rest @ ..], [c, tail @ ..]) => literal == c && matches(rest, tail),
        (['[', rest @ ..], [c, tail @ ..]) => match class(rest, *c) {
            Some((true, rest)) => matches(rest, tail),
            _ => false,
        },
        ([literal, rest @ ..], [c, tail @ ..]) => literal == c && matches(rest, tail),
        _ => false,
    }
}

/// Whether `c` is in the class that `pattern` is in the middle of, and what follows the class.
fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let negated = matches!(pattern.first(), Some('^' | '!'));
    let body = &pattern[usize::from(negated)..];
    let close = body.iter().position(|c| *c == ']')?;
    let (members, rest) = (&body[..close], &body[close + 1..]);
    let mut found = false;
    let mut index = 0;
    while index < members.len() {
        if index + 2 < members.len() && members[index + 1] == '-' {
            found |= (members[index]..=members[index + 2]).contains(&c);
            index += 3;
        } else {
            found |= members[index] == c;
            index += 1;
        }
    }
    Some((found != negated, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name, expected) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.json", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("{x,y{1,2}}z", "y2z", true),
            ("a\\*", "a*", true),
        ] {
            assert_eq!(matches_glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
