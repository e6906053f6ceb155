//! As much of JSON as the host writes and reads.

/// `text` as a JSON string with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What the host wrote: it is trusted to be JSON, so reading it only has to be safe.
#[derive(Debug)]
pub(crate) enum Json {
    Text(String),
    Number(u64),
    Object(Vec<(String, Json)>),
    List(Vec<Json>),
    Other,
}

/// Ours: far more than the host's two levels.
const JSON_DEPTH_MAX: usize = 8;

impl Json {
    pub(crate) fn parse(text: &str) -> Option<Json> {
        JsonReader { rest: text.chars().peekable() }.value(0)
    }

    fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|m| &m.1),
            _ => None,
        }
    }

    fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_text()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.member(name)? {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// An object of texts, or a list of pairs of texts (a header may come twice).
    pub(crate) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let pair = |key: &str, value: &Json| Some((key.to_string(), value.as_text()?.to_string()));
        match self.member(name) {
            Some(Json::Object(members)) => {
                members.iter().filter_map(|(key, value)| pair(key, value)).collect()
            }
            Some(Json::List(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Json::List(two) if two.len() == 2 => pair(two[0].as_text()?, &two[1]),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

struct JsonReader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl JsonReader<'_> {
    fn skip_blanks(&mut self) {
        while self.rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
    }

    /// Whether `c` comes next, which is then taken.
    fn takes(&mut self, c: char) -> bool {
        self.skip_blanks();
        self.rest.next_if_eq(&c).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_blanks();
        if depth > JSON_DEPTH_MAX {
            return None;
        }
        match *self.rest.peek()? {
            '"' => Some(Json::Text(self.string()?)),
            '{' => self
                .items('}', |reader| {
                    let key = reader.string()?;
                    if !reader.takes(':') {
                        return None;
                    }
                    Some((key, reader.value(depth + 1)?))
                })
                .map(Json::Object),
            '[' => self.items(']', |reader| reader.value(depth + 1)).map(Json::List),
            _ => {
                let mut word = String::new();
                while let Some(c) = self.rest.next_if(|c| !",]}".contains(*c) && *c > ' ') {
                    word.push(c);
                }
                Some(word.parse().map_or(Json::Other, Json::Number))
            }
        }
    }

    /// What stands between brackets, the opening one of which comes next.
    fn items<T>(&mut self, end: char, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.rest.next();
        let mut items = Vec::new();
        if self.takes(end) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(end) {
                return Some(items);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if !self.takes('"') {
            return None;
        }
        let mut units: Vec<u16> = Vec::new();
        loop {
            match self.rest.next()? {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => match self.rest.next()? {
                    'n' => units.push(10),
                    't' => units.push(9),
                    'r' => units.push(13),
                    'b' => units.push(8),
                    'f' => units.push(12),
                    'u' => {
                        let digits: String = (0..4).map_while(|_| self.rest.next()).collect();
                        units.push(u16::from_str_radix(&digits, 16).ok()?);
                    }
                    c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
                },
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }
}
