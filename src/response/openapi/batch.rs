//! The path that `PostgREST` does not have.

use serde_json::{Value, json};

/// `POST /-/batch`.
pub(super) fn path() -> Value {
    json!({
        "post": {
            "tags": ["Batch"],
            "summary": "Several requests in one transaction: all of them or none",
            "description": "A later request may refer to what an earlier one gave: {\"$ref\": \"order.0.id\"} in its \
                            body, ${order.0.id} in a filter.",
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "parameters": [{ "name": "requests", "in": "body", "required": true, "schema": requests() }],
            "responses": {
                "200": { "description": "OK", "schema": answers() },
                "default": { "description": "The status and the error of the request that failed; nothing was done" }
            }
        }
    })
}

fn requests() -> Value {
    json!({
        "type": "array",
        "maxItems": crate::request::batch::REQUESTS_MAX,
        "items": {
            "type": "object",
            "required": ["path"],
            "properties": {
                "id": { "type": "string", "description": "What later requests call this one" },
                "method": { "type": "string", "default": "GET" },
                "path": { "type": "string", "description": "Path and query, as of a request alone" },
                "headers": { "type": "object", "additionalProperties": { "type": "string" } },
                "body": {}
            }
        }
    })
}

fn answers() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "id": { "type": "string" },
                "status": { "type": "integer" },
                "headers": { "type": "object", "additionalProperties": { "type": "string" } },
                "body": {}
            }
        }
    })
}
