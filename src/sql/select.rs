//! What is given of each row.

use super::aggregate::Aggregation;
use super::dialect::{Dialect, Field, Scope};
use super::writer::Writer;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Projection;
use crate::request::filter::Arrow;

/// Adds what a projection gives, without its name.
pub(super) fn write_projection<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, projection: &Projection) {
    let field = Field { formatter: projection.formatter.as_ref(), ..Field::of(scope, &projection.target) };
    let (field, cast) = match &projection.aggregate {
        None => (field, &projection.cast),
        Some(aggregated) => (field.aggregated(Aggregation::of(projection, aggregated)), &aggregated.cast),
    };
    match cast {
        Some(to) => D::cast(writer, field, to),
        None => D::field(writer, field),
    }
}

/// The type of what a projection gives: the cast's type, or what the last arrow gives, or the column's.
pub(super) fn output_type(projection: &Projection) -> TypeName {
    if let Some(aggregated) = &projection.aggregate {
        return aggregated.cast.as_ref().unwrap_or(&aggregated.type_name).clone();
    }
    match (&projection.cast, projection.target.path.last().map(|step| step.arrow)) {
        (Some(cast), _) => cast.clone(),
        (None, Some(Arrow::Json)) => TypeName { declared: "json".to_owned(), kind: TypeKind::Json },
        (None, Some(Arrow::Text)) => {
            TypeName { declared: "text".to_owned(), kind: TypeKind::Text { max_length: None } }
        }
        (None, None) => projection.target.type_name.clone(),
    }
}
