//! Documents: what each becomes, and what a hostile one can do.

mod bombs;
mod comparison;
mod composition;
mod corpus;
mod mutations;
