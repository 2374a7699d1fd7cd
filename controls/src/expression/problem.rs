//! What can be wrong with an expression, in the words of the person who wrote it.

use thiserror::Error;

use super::{MAX_COMPREHENSIONS, MAX_DEPTH, MAX_LENGTH, MAX_NESTING, MAX_OPERATORS};

/// An expression that does not load.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}{problem}")]
pub struct ExpressionError {
    place: Place,
    /// What is wrong.
    pub problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Whole,
    At { line: usize, column: usize },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::At { line, column } => write!(f, "line {line}, column {column}: "),
        }
    }
}

impl ExpressionError {
    pub(super) fn whole(problem: Problem) -> Self {
        Self {
            place: Place::Whole,
            problem,
        }
    }

    /// At a position that the parser gave: line and column from 1, or nothing useful.
    pub(super) fn at_position(position: (isize, isize), problem: Problem) -> Self {
        match (usize::try_from(position.0), usize::try_from(position.1)) {
            (Ok(line), Ok(column)) if line > 0 => Self {
                place: Place::At { line, column },
                problem,
            },
            _ => Self::whole(problem),
        }
    }

    /// At an offset in characters.
    pub(super) fn at_offset(source: &str, offset: u32, problem: Problem) -> Self {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let (mut line, mut column) = (1, 1);
        for character in source.chars().take(offset) {
            if character == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        Self {
            place: Place::At { line, column },
            problem,
        }
    }
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Nothing there.
    #[error("the expression is empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("the expression has {length} characters, at most {MAX_LENGTH} are allowed")]
    TooLong {
        /// Characters found.
        length: usize,
    },
    /// Brackets nested deeper than [`MAX_NESTING`], or expressions deeper than [`MAX_DEPTH`].
    #[error("nested too deeply: at most {MAX_NESTING} brackets, and {MAX_DEPTH} expressions, within each other")]
    TooDeep,
    /// More operators than [`MAX_OPERATORS`].
    #[error("the expression has {operators} operators and brackets, at most {MAX_OPERATORS} are allowed")]
    TooManyOperators {
        /// Operators, dots and brackets found.
        operators: usize,
    },
    /// Something else than printable ASCII and line ends.
    #[error("the character {found:?} is not allowed: expressions are printable ASCII")]
    Character {
        /// The first one.
        found: char,
    },
    /// No CEL.
    #[error("not a CEL expression: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Valid CEL that rules do not have.
    #[error("{what} cannot be used in a rule{instead}")]
    NotInRules {
        /// The construct.
        what: &'static str,
        /// What to write instead: empty, or beginning with a colon.
        instead: &'static str,
    },
    /// A name that means nothing here.
    #[error("{name} is not known here: there are {known}")]
    UnknownVariable {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// `now` in a rule that does not say when its verdict changes, or in a place that must not depend on it.
    #[error("now cannot be used here: {because}")]
    Now {
        /// Why.
        because: &'static str,
    },
    /// A function that rules do not have.
    #[error("there is no function {name}: there are {known}")]
    UnknownFunction {
        /// The name.
        name: String,
        /// All that there are.
        known: &'static str,
    },
    /// A function or an operator with values that it does not take.
    #[error("{name} takes {expected}, not {found}")]
    Argument {
        /// Function or operator.
        name: String,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        found: String,
    },
    /// A field that the facts do not have.
    #[error("{path} has no field {field}: there are {known}")]
    UnknownField {
        /// What was looked into.
        path: String,
        /// The name.
        field: String,
        /// The names that there are.
        known: String,
    },
    /// A field of something that has no fields.
    #[error("{path} is {shape} and has no fields")]
    NoFields {
        /// What was looked into.
        path: String,
        /// What it is.
        shape: String,
    },
    /// A field that may be absent, read without asking first.
    #[error("{path} may be absent: ask with has({path}) first")]
    MayBeAbsent {
        /// The field.
        path: String,
    },
    /// `has()` of a field that is always there.
    #[error("{path} is always there, has({path}) says nothing")]
    AlwaysPresent {
        /// The field.
        path: String,
    },
    /// A comparison that can only be false, or has no meaning.
    #[error("{left} cannot be compared with {right} by {operator}")]
    Comparison {
        /// `==`, `<`, `in` and so on.
        operator: String,
        /// Left side.
        left: String,
        /// Right side.
        right: String,
    },
    /// A text that the value never has.
    #[error("{text:?} is none of the values there are: {known}")]
    NotAChoice {
        /// The text.
        text: String,
        /// The values that there are.
        known: String,
    },
    /// Something that is not of the type that its place needs.
    #[error("must be {expected}, is {found}")]
    Type {
        /// What the place needs.
        expected: &'static str,
        /// What the expression is.
        found: String,
    },
    /// Two branches, or the elements of a list, of different types.
    #[error("{left} and {right} do not go together")]
    Mixed {
        /// One.
        left: String,
        /// The other.
        right: String,
    },
    /// A variable of a comprehension with a name that is taken.
    #[error("the name {name} is taken")]
    Shadowed {
        /// The name.
        name: String,
    },
    /// A comprehension over something that is no list.
    #[error("{shape} is no list to go through")]
    NotIterable {
        /// What it is.
        shape: String,
    },
    /// More than [`MAX_COMPREHENSIONS`] within each other.
    #[error("more than {MAX_COMPREHENSIONS} comprehensions within each other")]
    TooManyComprehensions,
    /// A value in facts that rules cannot read.
    #[error("{path} is {why}, which rules cannot read")]
    Opaque {
        /// The field.
        path: String,
        /// What it is.
        why: String,
    },
    /// A regular expression or a time written in the rule is wrong.
    #[error("{text:?} is no {kind}: {message}")]
    Literal {
        /// The text.
        text: String,
        /// `regular expression` or `time`.
        kind: &'static str,
        /// What is wrong.
        message: String,
    },
}
