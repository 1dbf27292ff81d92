//! What is given of each row.

use super::OutputColumn;
use super::dialect::{Dialect, Field, Scope};
use super::writer::Writer;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Projection;
use crate::request::filter::Arrow;

/// Adds the projections with commas between them; nothing for none.
pub(super) fn write_projections<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, projections: &[Projection]) {
    writer.separated(", ", projections, |writer, projection| {
        let field = Field::of_projection(scope, projection);
        match &projection.cast {
            Some(to) => D::cast(writer, field, to),
            None => D::field(writer, field),
        }
        D::result_name(writer, &projection.name);
    });
}

/// Name and type of what each projection gives: the cast's type, or what the last arrow gives, or the column's.
pub(super) fn output_columns(projections: &[Projection]) -> Vec<OutputColumn> {
    projections
        .iter()
        .map(|projection| OutputColumn { name: projection.name.clone(), type_name: output_type(projection) })
        .collect()
}

fn output_type(projection: &Projection) -> TypeName {
    match (&projection.cast, projection.path.last().map(|step| step.arrow)) {
        (Some(cast), _) => cast.clone(),
        (None, Some(Arrow::Json)) => TypeName { declared: "json".to_owned(), kind: TypeKind::Json },
        (None, Some(Arrow::Text)) => {
            TypeName { declared: "text".to_owned(), kind: TypeKind::Text { max_length: None } }
        }
        (None, None) => projection.type_name.clone(),
    }
}
