//! Making a searchset Bundle out of stored bytes.
//! <https://hl7.org/fhir/R4/bundle.html#searchset>

/// One entry of a searchset.
#[derive(Clone, Debug)]
pub struct SearchsetEntry<'a> {
    /// `fullUrl`; empty for none.
    pub full_url: String,
    /// The resource's JSON, copied as it is.
    pub body: &'a [u8],
    /// `search.mode`: `match`, `include` or `outcome`.
    pub mode: &'static str,
    /// `search.score`, from 0 to 1.
    pub score: Option<f64>,
}

/// A searchset Bundle, in R4 element order. `links` are (relation, URL).
pub fn searchset(
    links: &[(&str, String)],
    total: Option<u64>,
    entries: &[SearchsetEntry<'_>],
) -> Vec<u8> {
    let bodies: usize = entries.iter().map(|e| e.body.len() + e.full_url.len() + 80).sum();
    let mut out = Vec::with_capacity(bodies + 512);
    out.extend_from_slice(br#"{"resourceType":"Bundle","type":"searchset""#);
    if let Some(total) = total {
        out.extend_from_slice(format!(r#","total":{total}"#).as_bytes());
    }
    array(&mut out, "link", links, |out, (relation, url)| {
        out.extend_from_slice(br#"{"relation":"#);
        quoted(out, relation);
        out.extend_from_slice(br#","url":"#);
        quoted(out, url);
        out.push(b'}');
    });
    array(&mut out, "entry", entries, write_entry);
    out.push(b'}');
    out
}

fn write_entry(out: &mut Vec<u8>, entry: &SearchsetEntry<'_>) {
    out.push(b'{');
    if !entry.full_url.is_empty() {
        out.extend_from_slice(br#""fullUrl":"#);
        quoted(out, &entry.full_url);
        out.push(b',');
    }
    out.extend_from_slice(br#""resource":"#);
    out.extend_from_slice(entry.body);
    out.extend_from_slice(br#","search":{"mode":"#);
    quoted(out, entry.mode);
    if let Some(score) = entry.score.filter(|score| score.is_finite()) {
        out.extend_from_slice(format!(r#","score":{}"#, score.clamp(0.0, 1.0)).as_bytes());
    }
    out.extend_from_slice(b"}}");
}

/// An array member; R4 has no empty arrays, so without items there is no member.
pub(super) fn array<T>(out: &mut Vec<u8>, name: &str, items: &[T], one: impl Fn(&mut Vec<u8>, &T)) {
    if items.is_empty() {
        return;
    }
    out.push(b',');
    quoted(out, name);
    out.extend_from_slice(b":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        one(out, item);
    }
    out.push(b']');
}

/// A JSON string.
pub(super) fn quoted(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text can always be written to memory");
}
