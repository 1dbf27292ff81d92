//! Words that are in nearly every text, and by which none is found.
//!
//! Which they are is a fact of Postgres' configuration; a test that compares the two engines holds it.

/// The English ones, by what they are in a sentence.
const ENGLISH: [&[&str]; 9] = [
    // Articles, demonstratives, and what stands for an amount.
    &["a", "an", "the", "this", "that", "these", "those", "all", "any", "both", "each", "few", "more", "most"],
    &["other", "some", "such", "same", "own", "no", "nor", "not", "only", "very", "too", "so", "than", "just", "now"],
    // Pronouns.
    &["i", "me", "my", "myself", "we", "our", "ours", "ourselves", "you", "your", "yours", "yourself", "yourselves"],
    &["he", "him", "his", "himself", "she", "her", "hers", "herself", "it", "its", "itself", "they", "them", "their"],
    &["theirs", "themselves", "what", "which", "who", "whom", "when", "where", "why", "how", "here", "there", "then"],
    // Auxiliary verbs, and what an apostrophe cuts off.
    &["am", "is", "are", "was", "were", "be", "been", "being", "have", "has", "had", "having", "do", "does", "did"],
    &["doing", "can", "will", "should", "don", "s", "t", "once", "again", "further"],
    // Prepositions.
    &["of", "at", "by", "for", "with", "about", "against", "between", "into", "through", "during", "before", "after"],
    &[
        "above", "below", "to", "from", "up", "down", "in", "out", "on", "off", "over", "under", "and", "but", "if",
        "or", "because", "as", "until", "while",
    ],
];

/// True for a word, in lower case, that the English configuration leaves out.
pub(super) fn is_english(word: &str) -> bool {
    word.len() <= 10 && ENGLISH.iter().any(|words| words.contains(&word))
}
