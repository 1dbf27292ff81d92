//! How well a document fits a query: `ts_rank`, and `ts_rank_cd`, which counts how close together the words stand.
//!
//! Numbers are rounded where Postgres rounds them, so that documents come in the same order.
//!
//! Source: <https://www.postgresql.org/docs/15/textsearch-controls.html#TEXTSEARCH-RANKING>, and what Postgres 15 answered
//! when asked.

mod cover;

use std::sync::LazyLock;

use super::Error;
use super::query::{Node, Query, Word};
use super::vector::{PLACE_MAX, Places, Vector, Weight};

/// What a place of the weights D, C, B and A counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights([f32; 4]);

impl Default for Weights {
    fn default() -> Self {
        Self([0.1, 0.2, 0.4, 1.0])
    }
}

impl Weights {
    /// The first four of `given`, for D, C, B and A; what is negative counts as usual.
    ///
    /// # Errors
    /// 2202E for fewer than four, 22004 for none at a place, 22023 for one over 1.
    pub fn new(given: &[Option<f32>]) -> Result<Self, Error> {
        let Some(first) = given.first_chunk::<4>() else {
            return Err(Error::new("2202E", "array of weight is too short"));
        };
        if given.contains(&None) {
            return Err(Error::new("22004", "array of weight must not contain nulls"));
        }
        let mut weights = Self::default();
        for (weight, given) in weights.0.iter_mut().zip(first.iter().flatten()) {
            *weight = if *given >= 0.0 { *given } else { *weight };
            if *weight > 1.0 {
                return Err(Error::new("22023", "weight out of range"));
            }
        }
        Ok(weights)
    }

    fn of(&self, weight: Weight) -> f32 {
        let [d, c, b, a] = self.0;
        match weight {
            Weight::A => a,
            Weight::B => b,
            Weight::C => c,
            Weight::D => d,
        }
    }
}

/// How the length of a document counts against it: bits that may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Normalization(pub i64);

impl Normalization {
    const LOGARITHM_OF_LENGTH: i64 = 1;
    const LENGTH: i64 = 2;
    const DISTANCE_OF_COVERS: i64 = 4;
    const WORDS: i64 = 8;
    const LOGARITHM_OF_WORDS: i64 = 16;
    const BELOW_ONE: i64 = 32;

    fn has(self, bit: i64) -> bool {
        self.0 & bit != 0
    }
}

/// `ts_rank`: how often the words of the query are there, and how near to each other when all are asked for.
#[must_use]
pub fn rank(weights: &Weights, vector: &Vector, query: &Query, normalization: Normalization) -> f32 {
    let Some(root) = query.root().filter(|_| vector.words().next().is_some()) else { return 0.0 };
    let mut words = Vec::new();
    root.add_words(&mut words);
    // Of two with the same text the last counts, which matters where only one of them finds beginnings.
    words.reverse();
    words.sort_by(|one, other| one.text.cmp(&other.text));
    words.dedup_by(|one, other| one.text == other.text);
    let mut rank = match root {
        Node::And(_) | Node::Phrase(..) if words.len() > 1 => of_pairs(weights, vector, &words).unwrap_or(1e-20),
        Node::Word(_) | Node::Not(_) | Node::And(_) | Node::Or(_) | Node::Phrase(..) | Node::Stop => {
            of_words(weights, vector, &words)
        }
    };
    if normalization.has(Normalization::LOGARITHM_OF_LENGTH) {
        rank = divided(rank, logarithm(vector.length()) / 2_f64.ln());
    }
    if normalization.has(Normalization::LENGTH) {
        rank /= as_float(vector.length());
    }
    if normalization.has(Normalization::WORDS) {
        rank /= as_float(vector.words().count());
    }
    if normalization.has(Normalization::LOGARITHM_OF_WORDS) {
        rank = divided(rank, logarithm(vector.words().count()) / 2_f64.ln());
    }
    if normalization.has(Normalization::BELOW_ONE) {
        rank /= rank + 1.0;
    }
    rank
}

/// `ts_rank_cd`: by the shortest parts of the document in which the query holds.
///
/// # Errors
/// What `go_on` says, which is asked again and again whether there is time left.
pub fn rank_by_covers<Over>(
    weights: &Weights,
    vector: &Vector,
    query: &Query,
    normalization: Normalization,
    go_on: &mut dyn FnMut() -> Result<(), Over>,
) -> Result<f32, Over> {
    let Some(mut covers) = cover::Covers::of(vector, query) else { return Ok(0.0) };
    let (mut rank, mut nearness, mut last_middle, mut count) = (0.0_f64, 0.0_f64, 0.0_f64, 0_usize);
    while let Some(cover) = covers.next(go_on)? {
        let inverse: f64 = cover.weights.iter().map(|weight| 1.0 / f64::from(weights.of(*weight))).sum();
        let middle = f64::from(cover.first + cover.last) / 2.0;
        rank += double(cover.weights.len()) / inverse / f64::from(1 + cover.others());
        if count > 0 && middle > last_middle {
            nearness += 1.0 / (middle - last_middle);
        }
        last_middle = middle;
        count += 1;
    }
    if normalization.has(Normalization::LOGARITHM_OF_LENGTH) {
        rank /= logarithm(vector.length());
    }
    if normalization.has(Normalization::LENGTH) {
        rank /= double(vector.length());
    }
    if normalization.has(Normalization::DISTANCE_OF_COVERS) && count > 0 && nearness > 0.0 {
        rank /= double(count) / nearness;
    }
    if normalization.has(Normalization::WORDS) {
        rank /= double(vector.words().count());
    }
    if normalization.has(Normalization::LOGARITHM_OF_WORDS) {
        rank /= logarithm(vector.words().count()) / 2_f64.ln();
    }
    if normalization.has(Normalization::BELOW_ONE) {
        rank /= rank + 1.0;
    }
    Ok(narrowed(rank))
}

/// What each word counts, one with another: the more, the earlier it stands.
fn of_words(weights: &Weights, vector: &Vector, words: &[&Word]) -> f32 {
    /// What the inverse squares of all numbers are together.
    const ALL_SQUARES: f64 = 1.644_934_066_85;
    let mut rank = 0.0_f32;
    for (_, places) in words.iter().flat_map(|word| word.entries(vector)) {
        let (mut sum, mut heaviest, mut square_of_heaviest) = (0.0_f32, -1.0_f32, 1.0_f32);
        for (index, (_, weight)) in known_places(places).into_iter().enumerate() {
            let (weight, square) = (weights.of(weight), as_float((index + 1) * (index + 1)));
            sum += weight / square;
            if weight > heaviest {
                (heaviest, square_of_heaviest) = (weight, square);
            }
        }
        let of_word = heaviest + sum - heaviest / square_of_heaviest;
        rank = narrowed(f64::from(rank) + f64::from(of_word) / ALL_SQUARES);
    }
    if words.is_empty() { rank } else { rank / as_float(words.len()) }
}

/// What the words count two by two: the more, the nearer. `None` when no two are there.
fn of_pairs(weights: &Weights, vector: &Vector, words: &[&Word]) -> Option<f32> {
    let mut rank: Option<f32> = None;
    let mut before: Vec<&Places> = Vec::new();
    for word in words {
        let mut last = None;
        for (_, places) in word.entries(vector) {
            last = Some(places);
            for other in &before {
                add_pairs(weights, places, other, &mut rank);
            }
        }
        before.extend(last);
    }
    rank
}

fn add_pairs(weights: &Weights, places: &Places, others: &Places, rank: &mut Option<f32>) {
    let is_unknown = places.is_empty() || others.is_empty();
    let others = known_places(others);
    for (place, weight) in known_places(places) {
        for (other, other_weight) in &others {
            let distance = match place.abs_diff(*other) {
                0 if is_unknown => u32::from(PLACE_MAX) + 1,
                0 => continue,
                distance => u32::from(distance),
            };
            let product = weights.of(weight) * weights.of(*other_weight) * nearness(distance);
            let of_pair = narrowed(f64::from(product).sqrt());
            *rank = Some(match *rank {
                None => of_pair,
                Some(rank) => narrowed(1.0 - (1.0 - f64::from(rank)) * (1.0 - f64::from(of_pair))),
            });
        }
    }
}

/// The places of a word; for one without any, the last that there can be.
fn known_places(places: &Places) -> Vec<(u16, Weight)> {
    if places.is_empty() {
        return vec![(PLACE_MAX, Weight::D)];
    }
    places.iter().map(|(place, weight)| (*place, *weight)).collect()
}

/// How much two words count that stand so far apart.
fn nearness(distance: u32) -> f32 {
    static NEAR: LazyLock<[f32; 101]> = LazyLock::new(|| {
        std::array::from_fn(|distance| narrowed(1.0 / (1.005 + 0.05 * (double(distance) / 1.5 - 2.0).exp())))
    });
    usize::try_from(distance).ok().and_then(|distance| NEAR.get(distance)).copied().unwrap_or(1e-30)
}

fn logarithm(length: usize) -> f64 {
    double(length + 1).ln()
}

fn divided(rank: f32, by: f64) -> f32 {
    narrowed(f64::from(rank) / by)
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest of the narrower type is what is meant")]
fn narrowed(number: f64) -> f32 {
    number as f32
}

#[expect(clippy::cast_precision_loss, reason = "documents have fewer words than that")]
fn double(count: usize) -> f64 {
    count as f64
}

fn as_float(count: usize) -> f32 {
    narrowed(double(count))
}
