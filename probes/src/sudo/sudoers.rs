//! sudoers(5): what the files say ([`syntax`]), read as sudo reads them.

pub(crate) mod files;
mod lexer;
mod parse;
pub(crate) mod resolve;
pub(crate) mod rights;
mod scan;
pub(crate) mod syntax;
mod text;
