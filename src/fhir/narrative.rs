//! What a narrative may hold: formatting, links and pictures, nothing that acts.
//! <https://hl7.org/fhir/R4/narrative.html#rules>

/// Elements of formatting that XHTML 1.0 has for bodies.
const ELEMENTS: [&str; 72] = [
    "a",
    "abbr",
    "acronym",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "menu",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "address",
    "area",
    "basefont",
    "article",
    "section",
    "header",
    "footer",
    "figure",
    "figcaption",
    "mark",
    "nav",
    "time",
];

const ATTRIBUTES: [&str; 52] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "clear",
    "color",
    "cols",
    "colspan",
    "compact",
    "coords",
    "dir",
    "face",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "noshade",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
];

const MORE_ATTRIBUTES: [&str; 8] =
    ["usemap", "value", "vspace", "width", "xmlns", "xml:lang", "xml:space", "datetime"];

/// A narrative without text and pictures.
pub(super) const SAYS_NOTHING: &str = "a narrative must say or show something";

const UNCLOSED: &str = "elements of a narrative must be closed";

/// What is wrong with the text of a `div`, if anything is.
pub(super) fn problem(text: &str) -> Option<&'static str> {
    let mut rest = text;
    let mut has_content = false;
    let mut open = Vec::new();
    while let Some(at) = rest.find('<') {
        has_content |= !rest[..at].trim().is_empty();
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return Some("a narrative holds no declarations");
        }
        let Some(end) = tag_end(rest) else {
            return Some(UNCLOSED);
        };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed.trim()) {
                return Some("elements of a narrative must be closed in order");
            }
            continue;
        }
        let (name, attributes) =
            tag.split_once(|c: char| c.is_whitespace() || c == '/').unwrap_or((tag, ""));
        if !ELEMENTS.contains(&name) {
            return Some("a narrative holds formatting, links and pictures only");
        }
        has_content |= name == "img";
        if let Some(problem) = attribute_problem(attributes) {
            return Some(problem);
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    match (open.is_empty() && rest.trim().is_empty(), has_content) {
        (false, _) => Some(UNCLOSED),
        (true, false) => Some(SAYS_NOTHING),
        (true, true) => None,
    }
}

/// The end of a tag, past `>` in quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn attribute_problem(text: &str) -> Option<&'static str> {
    let mut rest = text.trim().trim_end_matches('/').trim();
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=') else {
            return Some("an attribute of a narrative must have a value in quotes");
        };
        let name = name.trim();
        let known = ATTRIBUTES.contains(&name) || MORE_ATTRIBUTES.contains(&name);
        if !known {
            return Some("a narrative holds no scripts, events or attributes beside formatting");
        }
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| *c == '"' || *c == '\'');
        let Some((value, after)) = quote.and_then(|quote| after[1..].split_once(quote)) else {
            return Some("an attribute of a narrative must have a value in quotes");
        };
        let value = value.trim_start().to_ascii_lowercase();
        let acts = ["javascript:", "vbscript:", "data:text/html"];
        if ["href", "src"].contains(&name) && acts.iter().any(|scheme| value.starts_with(scheme)) {
            return Some("a link of a narrative must lead somewhere, not act");
        }
        rest = after.trim_start();
    }
    None
}
