//! Writes the words that Postgres' text search leaves out, one file for each language that has some, for
//! `src/search/stop.rs`: sorted by their bytes, one a line. So they cost neither memory nor time before they are asked for.
//!
//! The lists are those of the crate `stop-words`, which come from Postgres, with what they have otherwise by now.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, io};

/// Language; its code in the crate; what the crate has and Postgres has not; what Postgres has besides.
const LISTS: [(&str, &str, &str, &str); 14] = [
    ("danish", "da", "", ""),
    ("dutch", "nl", "", ""),
    ("finnish", "fi", "", ""),
    ("french", "fr", "ils les", ""),
    ("german", "de", "dass unsere unserem unseren unseres", "unse unsem unsen unses"),
    ("hungarian", "hu", "elsõ elõ elõször elõtt õ õk õket", "első elő először előtt ő ők őket"),
    ("italian", "it", "", ""),
    ("nepali", "ne", NEPALI_WITHOUT, NEPALI_BESIDES),
    ("norwegian", "no", "", ""),
    ("portuguese", "pt", "estar haver ser é", ""),
    ("russian", "ru", "", ""),
    ("spanish", "es", "vosotras vosotros", "vosostras vosostros"),
    ("swedish", "sv", "", ""),
    ("turkish", "tr", "", ""),
];

const NEPALI_WITHOUT: &str = "
    अन्यत्र अरुलाई आजको आफूलाई उनको उनले उहालाई कसैले कहाँबाट कहिलेकाहीं गए गरि गरी गरेका गरेको गरेर गरौं
    गर्छ गर्छु गर्दै गर्न गर्नु गर्नुपर्छ गर्ने गैर जसको जसबाट जसमा जसलाई जसले जस्तै तपाईको तिनिहरुलाई तिनीहरुको
    तिनीहरू बीचमा भएको भन भने भन्छन् भन्छु भन्दा भन्नुभयो भन्ने मलाई यसको यसपछि यसबाहेक यहाँसम्म सबैलाई हुन हुने
    हुन् हो";

const NEPALI_BESIDES: &str = "
    अगाडि अरू अर्का अर्की अर्ब अलिकति असार आइतवार आज आठ आश्विन उन उही एकै कति कत्रा कत्री कत्रो करोड कस कस्ता कस्ती
    कस्तो कहिल्यै कहीं कार्तिक कुन केहि खर्ब चाँडै चैत चौथो छौँ जति जत्रा जत्री जत्रो जस जस्ता जस्ती जेठ जोसुकै
    तपाईं तापनि तिन त्यसकारण त्यसपछि त्यसमा त्यसैले थिएनन् थोरै दस देख देख्न दोश्रो पर्सी पौष प्रत्येक प्रथम फागुन
    फेरि बन्द बन्न बाटो बिहिवार बुधवार भदौ भोलि भोली मंसिर मङ्गलवार महिना माघ यत्ति यत्रा यत्री यत्रो यस्ता यस्ती
    यिन यिनी लाख वरिपरि वर्ष वाहेक विरुद्ध विशेष वैशाख शनिवार शुक्रवार सँग सँगै सधैं सय साउन सुन्ना सोध्न सोमवार
    हजार हप्ता हामी हाम्रो हिजो होला होस्";

/// The English ones, by what they are in a sentence.
const ENGLISH: [&str; 9] = [
    // Articles, demonstratives, and what stands for an amount.
    "a an the this that these those all any both each few more most",
    "other some such same own no nor not only very too so than just now",
    // Pronouns.
    "i me my myself we our ours ourselves you your yours yourself yourselves",
    "he him his himself she her hers herself it its itself they them their",
    "theirs themselves what which who whom when where why how here there then",
    // Auxiliary verbs, and what an apostrophe cuts off.
    "am is are was were be been being have has had having do does did",
    "doing can will should don s t once again further",
    // Prepositions.
    "of at by for with about against between into through during before after",
    "above below to from up down in out on off over under and but if or because as until while",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo names no OUT_DIR"))?;
    let folder = Path::new(&folder);
    write(folder, "english", &ENGLISH.iter().flat_map(|words| words.split_whitespace()).collect())?;
    for (language, code, without, besides) in LISTS {
        let listed = stop_words::lookup(code).ok_or_else(|| io::Error::other(format!("no list {code}")))?;
        let without: BTreeSet<&str> = without.split_whitespace().collect();
        let mut words: BTreeSet<&str> = listed.iter().copied().filter(|word| !word.contains(' ')).collect();
        words.retain(|word| !without.contains(word));
        words.extend(besides.split_whitespace());
        write(folder, language, &words)?;
    }
    Ok(())
}

fn write(folder: &Path, language: &str, words: &BTreeSet<&str>) -> io::Result<()> {
    let words: Vec<&str> = words.iter().copied().collect();
    fs::write(folder.join(format!("{language}.txt")), words.join("\n"))
}
