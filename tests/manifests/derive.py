#!/usr/bin/env python3
"""Makes crd.json from the CustomResourceDefinitions in the files named: their schemas without descriptions.

The files, from their projects' repositories (all under the Apache License 2.0):
  knative/serving                        config/core/300-resources/service.yaml
  prometheus-operator                    example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules,servicemonitors}.yaml
  GoogleCloudPlatform/prometheus-engine  charts/operator/crds/monitoring.googleapis.com_podmonitorings.yaml
"""

import json
import sys

import yaml

PLAIN = {
    "type", "required", "enum", "pattern", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength",
    "format", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
}


def strip(schema):
    kept = {key: value for key, value in schema.items() if key in PLAIN}
    if "properties" in schema:
        kept["properties"] = {name: strip(inner) for name, inner in schema["properties"].items()}
    for key in ("items", "not", "additionalProperties"):
        if key in schema:
            kept[key] = strip(schema[key]) if isinstance(schema[key], dict) else schema[key]
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            kept[key] = [strip(inner) for inner in schema[key]]
    return kept


schemas = {}
for file in sys.argv[1:]:
    for document in yaml.safe_load_all(open(file)):
        if not document or document["kind"] != "CustomResourceDefinition":
            continue
        spec = document["spec"]
        for version in spec["versions"]:
            if version["name"] == "v1":
                kind = f"{spec['group']}/v1/{spec['names']['kind']}"
                schemas[kind] = strip(version["schema"]["openAPIV3Schema"])
lines = [f"{json.dumps(kind)}:{json.dumps(schema, separators=(',', ':'))}" for kind, schema in sorted(schemas.items())]
print("{" + ",\n".join(lines) + "}")
