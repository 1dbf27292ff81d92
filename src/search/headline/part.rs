//! Which part of a text is shown: one that has the words of the query, or several fragments.
//!
//! Parts are told by their first piece and the one behind their last.

use super::options::Options;
use super::pieces::{Piece, Pieces};

/// A part that may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    first: usize,
    last: usize,
    /// How many words of the query it has.
    interesting: usize,
    has_cover: bool,
    ends_badly: bool,
}

impl Candidate {
    /// True when this one shows more than the one before it.
    fn is_better(&self, than: &Self) -> bool {
        let rank = |of: &Self| (of.has_cover, of.interesting, !of.ends_badly);
        rank(self) > rank(than)
    }
}

/// A part that grows or shrinks, and what is in it.
struct Span<'a> {
    list: &'a [Piece<'a>],
    words: usize,
    interesting: usize,
}

impl Span<'_> {
    fn add(&mut self, at: usize) {
        self.words += usize::from(self.list.get(at).is_some_and(Piece::is_word));
        self.interesting += usize::from(self.list.get(at).is_some_and(Piece::is_interesting));
    }

    fn remove(&mut self, at: usize) {
        self.words -= usize::from(self.list.get(at).is_some_and(Piece::is_word));
        self.interesting -= usize::from(self.list.get(at).is_some_and(Piece::is_interesting));
    }

    fn ends_badly(&self, at: usize, options: &Options) -> bool {
        self.list.get(at).is_none_or(|piece| piece.ends_badly(options.short))
    }
}

/// The best part.
pub(super) fn best<Over>(
    pieces: &Pieces<'_>,
    options: &Options,
    go_on: &mut dyn FnMut() -> Result<(), Over>,
) -> Result<(usize, usize), Over> {
    let mut best: Option<Candidate> = None;
    let mut from = 0;
    while let Some(cover) = pieces.cover(from, options.longest_cover(), go_on)? {
        let candidate = around(pieces, options, cover);
        if best.is_none_or(|best| candidate.is_better(&best)) {
            best = Some(candidate);
        }
        from = cover.0 + 1;
    }
    Ok(best.map_or_else(|| beginning(pieces, options), |best| (best.first, best.last + 1)))
}

/// The first words, where the query holds nowhere.
fn beginning(pieces: &Pieces<'_>, options: &Options) -> (usize, usize) {
    let mut words = 0;
    let shown = pieces.list.iter().take_while(|piece| {
        let is_shown = words < options.fewest;
        words += usize::from(piece.is_word());
        is_shown
    });
    (0, shown.count())
}

/// The part around a cover: as long as it may be, with a good end.
fn around(pieces: &Pieces<'_>, options: &Options, (first, last): (usize, usize)) -> Candidate {
    let list = pieces.list.as_slice();
    let mut span = Span { list, words: 0, interesting: 0 };
    let (mut begin, mut end, mut at) = (first, first, first);
    while at <= last && span.words < options.most {
        span.add(at);
        end = at;
        at += 1;
    }
    if span.words < options.most {
        end = lengthened(&mut span, options, last);
        if span.words < options.fewest {
            begin = begun_earlier(&mut span, options, first);
        }
    } else {
        let mut at = at.min(last);
        while span.words > options.fewest && span.ends_badly(at, options) {
            span.remove(at);
            let Some(before) = at.checked_sub(1) else { break };
            at = before;
            end = at;
        }
    }
    Candidate {
        first: begin,
        last: end,
        interesting: span.interesting,
        has_cover: begin <= first && end >= last,
        ends_badly: span.ends_badly(end, options),
    }
}

/// Goes on from the last piece until there is a good end; gives the end.
fn lengthened(span: &mut Span<'_>, options: &Options, last: usize) -> usize {
    let (mut at, mut end) = (last, last);
    while at < span.list.len() && span.words < options.most {
        if at > last {
            span.add(at);
        }
        end = at;
        if !span.ends_badly(at, options) && span.words >= options.fewest {
            break;
        }
        at += 1;
    }
    end
}

/// Goes back from the first piece, where the text has ended too early; gives the beginning.
fn begun_earlier(span: &mut Span<'_>, options: &Options, first: usize) -> usize {
    for at in (0..first).rev() {
        span.add(at);
        if span.words >= options.most || span.words >= options.fewest && !span.ends_badly(at, options) {
            return at;
        }
    }
    0
}

/// Fragments that are chosen from: no more are told apart, so that a long text costs no more memory.
const FRAGMENTS_MAX: usize = 100_000;

/// A cover, or a part of a long one.
#[derive(Debug, Clone, Copy)]
struct Fragment {
    first: usize,
    last: usize,
    words: usize,
    interesting: usize,
    /// It is shown, or touches one that is.
    is_done: bool,
}

/// Several parts, in the order of the text.
pub(super) fn fragments<Over>(
    pieces: &Pieces<'_>,
    options: &Options,
    go_on: &mut dyn FnMut() -> Result<(), Over>,
) -> Result<Vec<(usize, usize)>, Over> {
    let mut fragments = Vec::new();
    let mut from = 0;
    while let Some((first, last)) = pieces.cover(from, options.longest_cover(), go_on)? {
        let mut begin = first;
        while begin <= last && fragments.len() < FRAGMENTS_MAX {
            go_on()?;
            let fragment = next_fragment(pieces, options, begin, last);
            begin = fragment.last + 1;
            fragments.push(fragment);
        }
        if fragments.len() >= FRAGMENTS_MAX {
            break;
        }
        from = first + 1;
    }
    let mut shown: Vec<(usize, usize)> = Vec::new();
    while shown.len() < options.fragments {
        // The one with the most words of the query; of several the shortest, and of those the first.
        let left = fragments.iter().filter(|fragment| !fragment.is_done);
        let Some(best) = left.min_by_key(|of| (std::cmp::Reverse(of.interesting), of.words)).copied() else { break };
        let (first, last) = stretched(pieces, options, &best, &shown);
        let touches = |of: &Fragment| of.first <= last && of.last >= first;
        fragments.iter_mut().filter(|of| touches(of)).for_each(|of| of.is_done = true);
        shown.push((first, last + 1));
    }
    if shown.is_empty() {
        shown.push(beginning(pieces, options));
    }
    shown.sort_unstable();
    Ok(shown)
}

/// The beginning of a cover that has no more words than may be shown, and begins and ends with a word of the query.
fn next_fragment(pieces: &Pieces<'_>, options: &Options, first: usize, last: usize) -> Fragment {
    let list = pieces.list.as_slice();
    let is_interesting = |at: &usize| list.get(*at).is_some_and(Piece::is_interesting);
    let first = (first..=last).find(is_interesting).unwrap_or(last);
    let mut span = Span { list, words: 0, interesting: 0 };
    let mut at = first;
    while at <= last && span.words < options.most {
        span.add(at);
        at += 1;
    }
    let mut end = last;
    if end > at {
        end = at;
        for before in (first..=at).rev() {
            end = before;
            if is_interesting(&before) {
                break;
            }
            span.words -= usize::from(list.get(before).is_some_and(Piece::is_word)).min(span.words);
        }
    }
    Fragment { first, last: end, words: span.words, interesting: span.interesting, is_done: false }
}

/// A fragment with what stands around it, up to the length that it may have.
fn stretched(pieces: &Pieces<'_>, options: &Options, fragment: &Fragment, shown: &[(usize, usize)]) -> (usize, usize) {
    let list = pieces.list.as_slice();
    if fragment.words >= options.most {
        return (fragment.first, fragment.last);
    }
    let is_free = |at: usize| !shown.iter().any(|(first, end)| (*first..*end).contains(&at));
    let word = |at: usize| usize::from(list.get(at).is_some_and(Piece::is_word));
    let ends_badly = |at: usize| list.get(at).is_none_or(|piece| piece.ends_badly(options.short));
    let mut words = fragment.words;
    let most_before = (options.most - words) / 2;
    let (mut before, mut first) = (0, fragment.first);
    for at in (0..fragment.first).rev() {
        if before >= most_before || !is_free(at) {
            break;
        }
        before += word(at);
        first = at;
    }
    words += before;
    while first < fragment.first && ends_badly(first) {
        words -= word(first);
        first += 1;
    }
    let mut last = fragment.last;
    for at in fragment.last + 1..list.len() {
        if words >= options.most || !is_free(at) {
            break;
        }
        words += word(at);
        last = at;
    }
    while last > fragment.last && ends_badly(last) {
        last -= 1;
    }
    (first, last)
}
