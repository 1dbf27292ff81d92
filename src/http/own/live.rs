//! `/-/live`: the process takes requests. Says nothing of the store, so that a platform does not kill an instance for
//! what a restart cannot mend.

use serde_json::json;

use crate::response::Reply;

pub(super) fn answer() -> Reply {
    super::json(200, &json!({ "status": "live" }))
}
