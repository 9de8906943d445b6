//! A request as it came off the wire, before anything is believed about it.

use percent_encoding::percent_decode_str;

/// One received request. Header names are lower case, in the order received.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path without query, still percent-encoded.
    pub path: String,
    /// Query without `?`, still percent-encoded.
    pub query: String,
    /// `Host`, or `:authority` with HTTP/2.
    pub host: String,
    /// Every header line.
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a header, by any spelling of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// How many lines carry this header.
    pub fn header_count(&self, name: &str) -> usize {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .count()
    }

    /// A cookie's value, verbatim. HTTP/2 may split the header into several lines.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.iter().filter(|(n, _)| n == "cookie");
        let mut pairs = lines.flat_map(|(_, line)| line.split(';'));
        pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// The query's parameters, decoded, in order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        form_pairs(&self.query)
    }
}

/// Decodes `a=b&c=d` as HTML forms do: `+` is a blank.
pub fn form_pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (form_decode(name), form_decode(value))
        })
        .collect()
}

fn form_decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
