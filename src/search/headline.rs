//! The part of a text that shows why it was found: `ts_headline`.
//!
//! ```text
//! text → pieces (words and what stands between) → a part with the words of the query in it → the part, its words marked
//! ```
//!
//! Which part is told is the choice of Postgres 15; later servers choose otherwise where a query has `|` or phrases.
//!
//! Source: <https://www.postgresql.org/docs/15/textsearch-controls.html#TEXTSEARCH-HEADLINE>, and what Postgres 15 answered
//! when asked.

mod options;
mod part;
mod pieces;

pub use options::Options;

use super::configuration::Configuration;
use super::query::Query;
use pieces::{Kind, Piece, Pieces};

/// The part of `text` that shows best why `query` finds it, with its words marked.
///
/// # Errors
/// What `go_on` says, which is asked again and again whether there is time left.
pub fn headline<Over>(
    configuration: Configuration,
    text: &str,
    query: &Query,
    options: &Options,
    go_on: &mut dyn FnMut() -> Result<(), Over>,
) -> Result<String, Over> {
    let pieces = Pieces::of(configuration, text, query);
    let shown = if options.is_all && options.fragments == 0 {
        vec![(0, pieces.list.len())]
    } else if options.fragments == 0 {
        vec![part::best(&pieces, options, go_on)?]
    } else {
        part::fragments(&pieces, options, go_on)?
    };
    Ok(written(&pieces, options, &shown))
}

/// The pieces that are shown, with marks around those that the query asks for.
fn written(pieces: &Pieces<'_>, options: &Options, shown: &[(usize, usize)]) -> String {
    let mut out = String::new();
    let mut is_shown = vec![false; pieces.list.len()];
    for (first, end) in shown {
        is_shown.iter_mut().take(*end).skip(*first).for_each(|of| *of = true);
    }
    let (mut is_within, mut count) = (false, 0);
    for (piece, is_shown) in pieces.list.iter().zip(is_shown).filter(|(piece, _)| !piece.is_repeated) {
        if !is_shown {
            is_within = false;
            continue;
        }
        if !is_within {
            count += 1;
            out.push_str(if count > 1 { &options.delimiter } else { "" });
        }
        is_within = true;
        write_piece(&mut out, piece, options);
    }
    out
}

fn write_piece(out: &mut String, piece: &Piece<'_>, options: &Options) {
    let (start, stop) = if piece.is_asked { (&*options.start, &*options.stop) } else { ("", "") };
    match piece.kind {
        Kind::Whole => {}
        Kind::Tag if !options.is_all => out.push(' '),
        Kind::Blank | Kind::Tag | Kind::Sign | Kind::Number | Kind::Word => {
            out.extend([start, piece.text, stop]);
        }
    }
}
