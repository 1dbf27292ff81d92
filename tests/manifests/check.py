#!/usr/bin/env python3
"""Checks built manifests: `check.py FEATURES METRICS FILE…`.

FEATURES is the built k8s/knative-features, METRICS what /-/metrics of a running berth said, each FILE what kustomize built.
Prints what is wrong, one line a fault, and how much was checked; exits with 1 when there is a fault.
"""

import json
import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import promql_parser
import yaml

HERE = pathlib.Path(__file__).parent
KUBERNETES = "1.32"
# Metrics of others that an alert may name.
FOREIGN_METRICS = {"kube_pod_container_resource_limits"}
# Source: knative/serving 1.23, pkg/apis/serving/fieldmask.go and k8s_validation.go.
POD_FIELDS = {
    "serviceAccountName", "containers", "volumes", "imagePullSecrets", "enableServiceLinks",
    "automountServiceAccountToken", "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds",
    "idleTimeoutSeconds",
}
POD_SECURITY_FIELDS = {"runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "seccompProfile"}
CONTAINER_SECURITY_FIELDS = {
    "capabilities", "readOnlyRootFilesystem", "runAsUser", "runAsGroup", "runAsNonRoot", "allowPrivilegeEscalation",
    "seccompProfile", "privileged",
}
RESERVED_ENV = {"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"}
RESERVED_PATHS = {"/", "/dev", "/dev/log"}
ALWAYS_VOLUMES = {"secret", "configMap", "projected", "emptyDir"}

faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def closed(schema):
    """The API server drops fields that a schema does not name: here they are faults."""
    schema = dict(schema)
    if schema.pop("x-kubernetes-int-or-string", False):
        return {"type": ["integer", "string"]}
    open_ended = schema.pop("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in schema:
        schema["properties"] = {name: closed(inner) for name, inner in schema["properties"].items()}
        if not open_ended:
            schema["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = closed(schema[key])
    return schema


def crd_schemas():
    schemas = json.loads((HERE / "crd.json").read_text())
    for schema in schemas.values():
        # The API server itself knows these.
        schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    return {kind: closed(schema) for kind, schema in schemas.items()}


def check_schema(where, document, schemas):
    kind = f"{document['apiVersion']}/{document['kind']}"
    if kind in schemas:
        for error in jsonschema.Draft202012Validator(schemas[kind]).iter_errors(document):
            fault(where, f"{error.json_path}: {error.message[:200]}")
        return
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        fault(where, f"{kind}: {error.message[:200]}")


def check_knative(where, service, flags):
    """What Knative's webhooks refuse although the schema allows it."""
    template = service["spec"]["template"]
    pod = template["spec"]
    enabled = lambda flag: flags.get(f"kubernetes.{flag}") == "enabled"
    allowed = POD_FIELDS | ({"securityContext"} if enabled("podspec-securitycontext") else set())
    allowed |= {"affinity"} if enabled("podspec-affinity") else set()
    for field in set(pod) - allowed:
        fault(where, f"Knative does not take the field {field} of a pod")
    for field in set(pod.get("securityContext", {})) - POD_SECURITY_FIELDS:
        fault(where, f"Knative does not take securityContext.{field} of a pod")
    if pod.get("automountServiceAccountToken", False) is not False:
        fault(where, "automountServiceAccountToken may only be false")
    if not 0 <= pod.get("containerConcurrency", 0) <= 1000:
        fault(where, "containerConcurrency is beyond 0 to 1000")
    if not 0 < pod.get("timeoutSeconds", 300) <= 600:
        fault(where, "timeoutSeconds is beyond 1 to 600")
    annotations = template["metadata"].get("annotations", {})
    for key, value in annotations.items():
        if not isinstance(value, str):
            fault(where, f"the annotation {key} is no text")
    scale = {end: int(annotations.get(f"autoscaling.knative.dev/{end}-scale", 0)) for end in ("min", "max")}
    if scale["max"] and scale["min"] > scale["max"]:
        fault(where, "min-scale is above max-scale")
    for key in annotations:
        if key.startswith("autoscaling.knative.dev/") and key in service["metadata"].get("annotations", {}):
            fault(where, f"{key} belongs to the template only")
    check_knative_volumes(where, pod, enabled)
    if sum(len(container.get("ports", [])) for container in pod["containers"]) != 1:
        fault(where, "exactly one port of one container serves")
    for container in pod["containers"]:
        check_knative_container(where, container, sidecar=not container.get("ports"))


def check_knative_volumes(where, pod, enabled):
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    mounted = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
    for name in set(volumes) - mounted:
        fault(where, f"the volume {name} is not mounted")
    for name in mounted - set(volumes):
        fault(where, f"there is no volume {name}")
    for name, volume in volumes.items():
        (kind,) = set(volume) - {"name"}
        if kind == "persistentVolumeClaim":
            if not enabled("podspec-persistent-volume-claim"):
                fault(where, f"the volume {name} needs the flag podspec-persistent-volume-claim")
            if not volume[kind].get("readOnly") and not enabled("podspec-persistent-volume-write"):
                fault(where, f"the volume {name} needs the flag podspec-persistent-volume-write")
        elif kind not in ALWAYS_VOLUMES:
            fault(where, f"the volume {name} is of a kind that Knative refuses or makes read-only: {kind}")
        if kind == "emptyDir" and volume[kind].get("medium", "") not in ("", "Memory"):
            fault(where, f"the volume {name} has an unknown medium")


def check_knative_container(where, container, sidecar):
    where = f"{where} container {container['name']}"
    if container["name"] == "queue-proxy":
        fault(where, "is a name of Knative's own")
    for variable in container.get("env", []):
        if variable["name"] in RESERVED_ENV:
            fault(where, f"{variable['name']} is set by Knative")
    security = container.get("securityContext", {})
    for field in set(security) - CONTAINER_SECURITY_FIELDS:
        fault(where, f"Knative does not take securityContext.{field}")
    if security.get("privileged", False):
        fault(where, "may not be privileged")
    if "add" in security.get("capabilities", {}):
        fault(where, "may add no capabilities")
    paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
    for path in paths:
        if not path.startswith("/") or path.rstrip("/") in RESERVED_PATHS | {""} or paths.count(path) > 1:
            fault(where, f"may not mount at {path}")
    ports = [port["containerPort"] for port in container.get("ports", [])]
    for port in container.get("ports", []):
        if port.get("name", "") not in ("", "h2c", "http1"):
            fault(where, f"the port's name {port['name']} is unknown")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(name)
        if not probe:
            continue
        if sidecar:
            fault(where, f"the {name} of a sidecar needs a flag")
        handlers = set(probe) & {"httpGet", "tcpSocket", "exec", "grpc"}
        if len(handlers) != 1:
            fault(where, f"the {name} has {len(handlers)} handlers")
        port = probe.get("httpGet", {}).get("port")
        if port is not None and port not in ports:
            fault(where, f"the {name} asks another port")
        if name == "readinessProbe" and not probe.get("periodSeconds") and {"timeoutSeconds", "failureThreshold"} & set(probe):
            fault(where, "a readiness probe without a period is Knative's own and takes no thresholds")


def check_safety(where, document):
    """Our own rules: what every pod of berth must be."""
    for container in document["spec"]["template"]["spec"]["containers"]:
        security = container.get("securityContext", {})
        for field, value in {
            "runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        }.items():
            if security.get(field) != value:
                fault(where, f"{container['name']}: securityContext.{field} is not {value}")
        if "memory" not in container.get("resources", {}).get("limits", {}):
            fault(where, f"{container['name']} has no bound on its memory")


def exposed(text):
    """Metrics of Prometheus' text format: the labels of each name, histograms' names with their endings."""
    metrics = {}
    for line in text.splitlines():
        match = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
        if match:
            labels = re.findall(r'(\w+)="', match[2] or "")
            metrics.setdefault(match[1], set()).update(labels)
    return metrics


def check_expression(where, expression, metrics):
    for variable, value in {"$__rate_interval": "5m", "$namespace": ".*"}.items():
        expression = expression.replace(variable, value)
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        fault(where, f"no PromQL: {error}")
        return 0
    named = re.findall(r"\b((?:berth|process|kube)_[a-z_]+)(?:\{([^}]*)\})?", expression)
    if not named:
        fault(where, "names no metric")
    for name, selector in named:
        if name in FOREIGN_METRICS:
            continue
        if name not in metrics:
            fault(where, f"berth has no metric {name}")
            continue
        for label in re.findall(r"(\w+)(?:=|!)", selector):
            # The scraper's own.
            if label not in metrics[name] | {"namespace", "job", "pod"}:
                fault(where, f"{name} has no label {label}")
    return len(named)


def main():
    features, metrics_file, *files = sys.argv[1:]
    flags = next(yaml.safe_load_all(open(features)))["data"]
    metrics = exposed(pathlib.Path(metrics_file).read_text())
    schemas = crd_schemas()
    documents = expressions = 0
    for file in [features, *files]:
        for document in yaml.safe_load_all(open(file)):
            documents += 1
            kind = document["kind"]
            where = f"{pathlib.Path(file).stem} {kind} {document['metadata']['name']}"
            check_schema(where, document, schemas)
            if document["apiVersion"] == "serving.knative.dev/v1":
                check_knative(where, document, flags)
            if "template" in document.get("spec", {}):
                check_safety(where, document)
            if kind == "PrometheusRule":
                for rule in (rule for group in document["spec"]["groups"] for rule in group["rules"]):
                    expressions += check_expression(f"{where} {rule['alert']}", rule["expr"], metrics)
                    target = rule["annotations"]["runbook_url"]
                    page, _, anchor = target.partition("#")
                    text = (HERE.parent.parent / page).read_text()
                    if f"## {anchor.capitalize()}" not in text or rule["alert"] not in text:
                        fault(where, f"{page} does not tell of {rule['alert']} under {anchor}")
            if kind == "ConfigMap" and "berth.json" in document.get("data", {}):
                for panel in json.loads(document["data"]["berth.json"])["panels"]:
                    for target in panel["targets"]:
                        expressions += check_expression(f"{where} {panel['title']}", target["expr"], metrics)
    for line in faults:
        print(f"FAULT {line}")
    print(f"{documents} manifests and {expressions} metrics of alerts and dashboard checked, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
