use std::collections::BTreeMap;

use super::*;
use crate::catalog::{Column, ForeignKey, Generated, Kind, QualifiedName, TypeKind, TypeName};

fn column(name: &str, declared: &str, kind: TypeKind) -> Column {
    Column {
        name: name.into(),
        type_name: TypeName { declared: declared.into(), kind },
        nullable: true,
        default: None,
        generated: Generated::No,
        enum_values: Vec::new(),
        comment: None,
    }
}

fn films() -> Catalog {
    let name = QualifiedName::new("public", "films");
    let id = Column { nullable: false, ..column("id", "integer", TypeKind::Integer) };
    let title = Column {
        default: Some("'untitled'::character varying".into()),
        comment: Some("What it is called".into()),
        ..column("title", "character varying", TypeKind::Text { max_length: None })
    };
    let director = column("director_id", "integer", TypeKind::Integer);
    let table = Table {
        name: name.clone(),
        kind: Kind::Table,
        comment: Some("Films\n\nAll of them".into()),
        columns: vec![id, title, director],
        primary_key: vec!["id".into()],
        unique: Vec::new(),
        foreign_keys: vec![ForeignKey {
            name: "films_director_id_fkey".into(),
            columns: vec!["director_id".into()],
            references: QualifiedName::new("public", "directors"),
            references_columns: vec!["id".into()],
        }],
        insertable: true,
        updatable: true,
        deletable: true,
    };
    Catalog { tables: BTreeMap::from([(name, table)]), ..Catalog::default() }
}

#[test]
fn keys_and_comments_are_described_as_postgrest_does() {
    let document = describe(&films(), "public", &Settings::default(), |_| true, |_| true);
    let properties = &document["definitions"]["films"]["properties"];
    assert_eq!(properties["id"]["description"], "Note:\nThis is a Primary Key.<pk/>");
    assert_eq!(
        properties["director_id"]["description"],
        "Note:\nThis is a Foreign Key to `directors.id`.<fk table='directors' column='id'/>"
    );
    assert_eq!(properties["title"]["description"], "What it is called");
    assert_eq!(properties["title"]["default"], "untitled");
    assert_eq!(document["definitions"]["films"]["required"], json!(["id"]));
    assert_eq!(document["paths"]["/films"]["get"]["summary"], "Films");
    assert_eq!(document["paths"]["/films"]["get"]["description"], "All of them");
}

#[test]
fn the_default_of_a_numeric_is_a_number_however_it_is_held() {
    for (kind, default) in [(TypeKind::NUMERIC, "42.2"), (TypeKind::NUMERIC.as_decimal_text(), "'42.2'")] {
        let mut catalog = films();
        let price = Column { default: Some(default.into()), ..column("price", "numeric", kind) };
        catalog.tables.values_mut().for_each(|table| table.columns.push(price.clone()));
        let document = describe(&catalog, "public", &Settings::default(), |_| true, |_| true);
        assert_eq!(document["definitions"]["films"]["properties"]["price"]["default"], json!(42.2), "{default}");
    }
}

#[test]
fn what_is_not_visible_is_not_described() {
    let document = describe(&films(), "public", &Settings::default(), |_| false, |_| true);
    assert_eq!(document["definitions"], json!({}));
    assert!(document["paths"].get("/films").is_none());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = describe(&films(), "public", &Settings::default(), |_| true, |_| true);
    let text = document.to_string();
    for (position, _) in text.match_indices("\"$ref\":\"#") {
        let pointer = text[position + 9..].split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}
