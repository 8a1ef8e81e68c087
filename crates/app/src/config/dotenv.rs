//! Reads `.env`: the lines that set a variable of chatkeep's. Those of other programs are left alone, whatever they hold.

use std::collections::HashMap;

use crate::config::error::ConfigError;
use crate::config::source::SourceFile;
use crate::config::variables::VARIABLES;

/// A value, and the line that it stands in.
pub(super) struct Assigned {
    pub(super) value: String,
    pub(super) line: usize,
}

const FORM: &str =
    "must be NAME=value, with a value in single quotes where it holds spaces, quotes or backslashes";
const DOLLAR: &str = "must be in single quotes, or have `\\$` for `$`, because programs differ in what they put in the \
                      place of `$name`";

/// Of a variable that is set twice, the last.
pub(super) fn read(file: &SourceFile) -> Result<HashMap<&'static str, Assigned>, ConfigError> {
    let lines: Vec<&[u8]> = file.bytes()?.split(|byte| *byte == b'\n').collect();
    let mut variables = HashMap::new();
    // The lines that stand within quotes, which the one in front of them opens.
    let mut quoted = 0..0;
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        let Some(variable) = variable_of(line) else {
            if !quoted.contains(&index) {
                quoted = number..number + lines_within_quotes(&lines[index..]);
            }
            continue;
        };
        let setting = || format!("{variable} in line {number} of {}", file.name);
        if quoted.contains(&index) {
            let rule =
                format!("must not stand between the quotes of line {}: close them there", quoted.start);
            return Err(ConfigError::invalid(setting(), rule, "a line within quotes"));
        }
        let value = value_of(variable, line)
            .map_err(|(rule, actual)| ConfigError::invalid(setting(), rule, actual))?;
        variables.insert(variable, Assigned { value, line: number });
    }
    Ok(variables)
}

/// The variable of chatkeep's that a line sets, or is most likely meant to set.
fn variable_of(line: &[u8]) -> Option<&'static str> {
    let line = line.trim_ascii_start();
    let line = match line.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(u8::is_ascii_whitespace) => rest.trim_ascii_start(),
        _ => line,
    };
    let name = line.split(|byte| b"=:".contains(byte) || byte.is_ascii_whitespace()).next()?;
    VARIABLES.iter().map(|(_, variable)| *variable).find(|variable| variable.as_bytes() == name)
}

/// What the line of a variable sets it to; else the rule that the line breaks, and how.
fn value_of(variable: &str, line: &[u8]) -> Result<String, (&'static str, &'static str)> {
    let line = str::from_utf8(line).map_err(|_| ("must be UTF-8", "other bytes"))?.trim_end();
    let (_, raw) = line.split_once('=').ok_or((FORM, "something else"))?;
    if has_bare_dollar(raw) {
        return Err((DOLLAR, "a `$` outside single quotes"));
    }
    // It would be a comment, and the value empty.
    if raw.starts_with('#') {
        return Err((FORM, "a value that begins with `#`"));
    }
    let line = format!("{line}\n");
    match dotenvy::from_read_iter(line.as_bytes()).next() {
        Some(Ok((name, value))) if name == variable => Ok(value),
        _ => Err((FORM, "something else")),
    }
}

/// Whether a value has a `$` that dotenvy would put something in the place of.
fn has_bare_dollar(value: &str) -> bool {
    let (mut is_single, mut is_double, mut before) = (false, false, ' ');
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\'' if !is_double => is_single = !is_single,
            _ if is_single => {}
            '"' => is_double = !is_double,
            '\\' => drop(signs.next()),
            '$' => return true,
            '#' if !is_double && before.is_whitespace() => return false,
            _ => {}
        }
        before = sign;
    }
    false
}

/// How many lines more a value in quotes goes on for, as of the first of these. Quotes that never end are no quotes.
fn lines_within_quotes(lines: &[&[u8]]) -> usize {
    let mut parts = lines[0].splitn(2, |byte| *byte == b'=');
    let value = parts.nth(1).unwrap_or_default().trim_ascii_start();
    let (Some(quote @ (b'"' | b'\'')), false) =
        (value.first(), lines[0].trim_ascii_start().starts_with(b"#"))
    else {
        return 0;
    };
    if ends(&value[1..], *quote) {
        return 0;
    }
    lines[1..].iter().position(|line| ends(line, *quote)).map_or(0, |position| position + 1)
}

/// Whether the text has the quote that ends it. In double quotes a backslash may stand before one.
fn ends(text: &[u8], quote: u8) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte == quote {
            return true;
        }
        if *byte == b'\\' && quote == b'"' {
            bytes.next();
        }
    }
    false
}
