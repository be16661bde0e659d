//! Rust sources as flat tokens with line numbers, so that a rule can look for words without being misled by comments and
//! line breaks. It does not judge.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, a mark, a bracket or a literal.
#[derive(Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    /// The value of a text literal.
    pub fn text_value(&self) -> Option<String> {
        let starts_like_text =
            self.text.starts_with('"') || self.text.starts_with("r\"") || self.text.starts_with("r#");
        let literal = starts_like_text.then(|| syn::parse_str::<syn::LitStr>(&self.text))?;
        Some(literal.ok()?.value())
    }
}

/// Flattens a Rust file. Doc comments, which the compiler sees as attributes, are left out.
pub fn tokens(path: &str, text: &str) -> Vec<Token> {
    let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                if is_doc(&group.stream()) {
                    continue;
                }
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
            other => tokens.push(Token { text: other.to_string(), line }),
        }
    }
}

fn is_doc(stream: &TokenStream) -> bool {
    let mut trees = stream.clone().into_iter();
    let starts_with_doc = matches!(trees.next(), Some(TokenTree::Ident(word)) if word == "doc");
    starts_with_doc && matches!(trees.next(), Some(TokenTree::Punct(mark)) if mark.as_char() == '=')
}

/// The places where the tokens of `pattern` (separated by blanks) stand in a row: index of the first one.
pub fn find(tokens: &[Token], pattern: &str) -> Vec<usize> {
    let pattern: Vec<&str> = pattern.split(' ').collect();
    let rows = tokens.windows(pattern.len()).enumerate();
    rows.filter(|(_, row)| row.iter().map(|token| token.text.as_str()).eq(pattern.iter().copied()))
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn comments_are_no_tokens_and_line_breaks_do_not_matter() {
    let tokens = tokens(
        "sample",
        "/// dbg!(1)\n// dbg!(2)\nfn f() {\n  dbg\n  !(3)\n}\n#[doc = \"dbg!(4)\"] mod m {}",
    );
    assert_eq!(find(&tokens, "dbg !").len(), 1);
    assert_eq!(tokens[find(&tokens, "dbg !")[0]].line, 4);
    assert_eq!(find(&tokens, "mod m { }").len(), 1);
}

#[test]
fn a_text_literal_has_a_value() {
    let tokens = tokens("sample", r##"f("a\"b", r#"c"d"#, 'e', b"f", 7)"##);
    let values: Vec<String> = tokens.iter().filter_map(Token::text_value).collect();
    assert_eq!(values, ["a\"b", "c\"d"]);
}
