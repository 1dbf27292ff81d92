//! Every configuration that Postgres has, on both engines: sentences, what is left out, and words that look like some.

use super::{Numbers, encoded};
use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::postgres;

/// A configuration, and what is said in its language; in lower case, for the server of the tests folds ASCII only.
const SAID: [(&str, &str); 29] = [
    ("simple", "the children played in the old gardens and were reading their new books about the biggest cities"),
    ("arabic", "كان الأطفال يلعبون في الحدائق القديمة ويقرأون كتبهم الجديدة عن المدن الكبيرة والمدارس"),
    ("armenian", "երեխաները խաղում էին հին այգիներում և կարդում էին իրենց նոր գրքերը մեծ քաղաքների մասին"),
    (
        "basque",
        "haurrak lorategi zaharretan jolasten ziren eta beren liburu berriak irakurtzen zituzten hiri handienei buruz",
    ),
    (
        "catalan",
        "els nens jugaven als jardins vells i llegien els seus llibres nous sobre les ciutats més grans l'escola",
    ),
    ("danish", "børnene legede i de gamle haver og læste deres nye bøger om de største byer og skolerne"),
    (
        "dutch",
        "de kinderen speelden in de oude tuinen en lazen hun nieuwe boeken over de grootste steden en mogelijkheden",
    ),
    ("english", "the children played in the old gardens and were reading their new books about the biggest cities"),
    (
        "finnish",
        "lapset leikkivät vanhoissa puutarhoissa ja lukivat uusia kirjojaan suurimmista kaupungeista ja kouluissa",
    ),
    (
        "french",
        "les enfants jouaient dans les vieux jardins où ils lisaient naïvement des livres héroïques, l'été et noël",
    ),
    (
        "german",
        "die kinder spielten in den alten gärten und lasen ihre neuen bücher über die größten städte und häuser",
    ),
    (
        "greek",
        "τα παιδιά έπαιζαν στους παλιούς κήπους και διάβαζαν τα καινούργια βιβλία τους για τις μεγάλες πόλεις ήσαν έως",
    ),
    ("hindi", "बच्चे पुराने बगीचों में खेलते थे और बड़े शहरों के बारे में अपनी नई किताबें पढ़ रहे थे the readings"),
    ("hungarian", "a gyerekek az öreg kertekben játszottak és olvasták új könyveiket a legnagyobb városokról előtt"),
    (
        "indonesian",
        "anak-anak bermain di taman-taman lama dan membacakan buku barunya tentang kota terbesar persekolahan",
    ),
    ("irish", "bhí na páistí ag imirt sna seanghairdíní agus ag léamh a leabhar nua faoi na cathracha is mó n-athair"),
    (
        "italian",
        "i bambini giocavano nei vecchi giardini e leggevano i loro nuovi libri sulle città più grandi velocemente",
    ),
    ("lithuanian", "vaikai žaidė senuose soduose ir skaitė savo naujas knygas apie didžiausius miestus ir mokyklas"),
    ("nepali", "बालबालिकाहरू पुराना बगैंचाहरूमा खेल्थे र ठूला शहरहरूको बारेमा आफ्ना नयाँ किताबहरू पढ्दै थिए"),
    ("norwegian", "barna lekte i de gamle hagene og leste sine nye bøker om de største byene og skolene vennlighet"),
    (
        "portuguese",
        "as crianças brincavam nos velhos jardins e liam os seus livros novos sobre as maiores cidades rapidamente",
    ),
    ("romanian", "copiii se jucau în grădinile vechi și citeau cărțile lor noi despre cele mai mari orașe frumoasele"),
    ("russian", "дети играли в старых садах и читали свои новые книги о самых больших городах ёлка the readings"),
    ("serbian", "деца су се играла у старим баштама и читала своје нове књиге o najvećim gradovima i školama čitanje"),
    (
        "spanish",
        "los niños jugaban en los jardines viejos y leían sus libros nuevos sobre las ciudades más grandes rápidamente",
    ),
    ("swedish", "barnen lekte i de gamla trädgårdarna och läste sina nya böcker om de största städerna och skolorna"),
    ("tamil", "குழந்தைகள் பழைய தோட்டங்களில் விளையாடினார்கள் பெரிய நகரங்களைப் பற்றிய புதிய புத்தகங்களைப் படித்தார்கள்"),
    (
        "turkish",
        "çocuklar eski bahçelerde oynadılar ve en büyük şehirler hakkındaki yeni kitaplarını okudular ama için",
    ),
    ("yiddish", "די קינדער האָבן געשפּילט אין די אַלטע גערטנער און געלייענט זייערע נײַע ביכער וועגן די גרעסטע שטעט"),
];

/// Words that a language's words are put together to, at places by chance; each begins as one of them does, for under the
/// locale of the server of the tests a mark alone is a letter too.
fn made_up(numbers: &mut Numbers, words: &[&str]) -> String {
    let mut made = String::new();
    for _ in 0..200 {
        let (first, second) = (numbers.one_of(words), numbers.one_of(words));
        let kept = 1 + numbers.below(first.chars().count());
        let from = numbers.below(second.chars().count() + 1);
        made.extend(first.chars().take(kept));
        made.extend(second.chars().skip(from));
        made.push(' ');
    }
    made
}

#[test]
fn both_engines_know_the_same_languages() {
    let schema = "
        CREATE TABLE texts (id int PRIMARY KEY, language text NOT NULL, body text NOT NULL);
        CREATE FUNCTION found(texts) RETURNS tsvector LANGUAGE sql STABLE AS $$
            SELECT to_tsvector($1.language::regconfig, $1.body)
        $$;
    ";
    let Some(pair) = Pair::start("languages", schema) else { return };
    let Some(cluster) = postgres::cluster() else { return };
    let known = cluster.run("languages", "SELECT string_agg(cfgname, ' ') FROM pg_ts_config");
    let version: u32 = cluster.run("languages", "SHOW server_version_num").parse().unwrap();
    if version >= 180_000 {
        eprintln!("skipped: later servers have later stemmers");
        return;
    }
    let mut numbers = Numbers(15);
    let mut rows = Vec::new();
    let mut searches = Vec::new();
    for (language, said) in SAID {
        assert!(known.split(' ').any(|of| of == language), "{language}");
        let left_out = cluster.run(
            "languages",
            &format!(
                "SELECT pg_read_file(setting || '/tsearch_data/{language}.stop', 0, 100000, true) FROM pg_config WHERE name = 'SHAREDIR'"
            ),
        );
        let words: Vec<&str> = said.split(' ').chain(left_out.split_whitespace()).collect();
        for body in [said.to_owned(), left_out.clone(), made_up(&mut numbers, &words)] {
            rows.push(serde_json::json!({"id": rows.len(), "language": language, "body": body}));
        }
        for _ in 0..4 {
            let operator = numbers.one_of(&["plfts", "phfts", "wfts"]);
            let query = [numbers.one_of(&words), numbers.one_of(&words)].join(numbers.one_of(&[" ", " or ", " -"]));
            searches.push(Case::get(format!(
                "/texts?language=eq.{language}&body={operator}({language}).{}&select=id&order=id",
                encoded(&query)
            )));
        }
    }
    assert_eq!(known.split(' ').count(), SAID.len(), "{known}");
    let mut cases = vec![Case::write("POST", "/texts", serde_json::Value::from(rows).to_string())];
    let found =
        |(language, _): &(&str, &str)| Case::get(format!("/texts?language=eq.{language}&select=id,found&order=id"));
    cases.extend(SAID.iter().map(found));
    cases.extend(searches);
    assert_equal("languages", &pair, &cases);
}
