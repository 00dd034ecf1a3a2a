//! Prints docs/functions.md: every function of the registry, its kind, how many arguments it takes and its state.

use std::io::Write;

use firesteel_functions::registry::{self, ANY, Build};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let all = registry::all();
    let supported = all.iter().filter(|definition| registry::is_supported(definition)).count();
    writeln!(out, "# Functions\n")?;
    writeln!(out, "Generated from the table of functions by `make generate`; operators are functions too.")?;
    writeln!(out, "{supported} are supported. The others are known by name and answer `UNSUPPORTED_FEATURE`.\n")?;
    writeln!(out, "| function | kind | arguments | state | what it gives |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for definition in all {
        let (kind, state) = match (definition.build, registry::is_supported(definition)) {
            (_, false) => ("", "not supported"),
            (Build::Scalar(_), _) => ("scalar", "supported"),
            (Build::HigherOrder(_), _) => ("higher-order", "supported"),
            (Build::Aggregate(_), _) => ("aggregate", "supported"),
            (Build::Window(_), _) => ("window", "supported"),
            (Build::Generator(_), _) => ("generator", "supported"),
        };
        let arguments = match definition.arity {
            _ if state == "not supported" => String::new(),
            (least, ANY) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let name = definition.name.replace('|', "\\|");
        writeln!(out, "| `{name}` | {kind} | {arguments} | {state} | {} |", definition.doc.replace('|', "\\|"))?;
    }
    Ok(())
}
