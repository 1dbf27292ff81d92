"""Holds a `gcloud run deploy` line, as gcloud itself reads it (standard input), against a manifest of the same service."""

import json
import sys

import yaml


def pairs(text, separator=","):
    """`a=b,c=d=e` as a dictionary."""
    return dict(pair.split("=", 1) for pair in text.split(separator))


def of_flags(flags):
    """What the flags say."""
    volume = pairs(flags["--add-volume"]) if "--add-volume" in flags else None
    mount = pairs(flags["--add-volume-mount"]) if "--add-volume-mount" in flags else None
    network = [flags["--network"], flags["--subnet"]] if "--network" in flags else None
    return {
        "name": flags["SERVICE"],
        "image": flags["--image"],
        "port": int(flags["--port"]),
        "environment": flags["--execution-environment"],
        "max instances": int(flags["--max-instances"]),
        "concurrency": int(flags["--concurrency"]),
        "timeout": int(flags["--timeout"]),
        "limits": {"cpu": flags["--cpu"], "memory": flags["--memory"]},
        "variables": pairs(flags["--set-env-vars"]),
        "secrets": pairs(flags["--set-secrets"]) if "--set-secrets" in flags else {},
        "cloud sql": flags.get("--set-cloudsql-instances"),
        "network": network,
        "startup": pairs(flags["--startup-probe"]),
        "liveness": pairs(flags["--liveness-probe"]),
        "mount": mount and [mount["volume"], mount["mount-path"]],
        "volume": volume and of_volume_flag(volume),
    }


def of_volume_flag(volume):
    if volume["type"] == "cloud-storage":
        return [volume["name"], "bucket", volume["bucket"], sorted(volume["mount-options"].split(";"))]
    server, path = volume["location"].split(":", 1)
    return [volume["name"], volume["type"], server, path]


def probe(container, name):
    told = dict(container[name])
    told["httpGet.path"] = told.pop("httpGet")["path"]
    return {key: str(value) for key, value in told.items()}


def of_volume(volume):
    if "csi" in volume:
        attributes = volume["csi"]["volumeAttributes"]
        assert volume["csi"]["driver"] == "gcsfuse.run.googleapis.com"
        return [volume["name"], "bucket", attributes["bucketName"], sorted(attributes["mountOptions"].split(","))]
    assert volume["nfs"]["readOnly"] is False
    return [volume["name"], "nfs", volume["nfs"]["server"], volume["nfs"]["path"]]


def of_manifest(manifest):
    """What the manifest says."""
    template = manifest["spec"]["template"]
    notes, spec = template["metadata"]["annotations"], template["spec"]
    [container] = spec["containers"]
    interfaces = json.loads(notes.get("run.googleapis.com/network-interfaces", "null"))
    variables = container["env"]
    secrets = {
        entry["name"]: f"{entry['valueFrom']['secretKeyRef']['name']}:{entry['valueFrom']['secretKeyRef']['key']}"
        for entry in variables
        if "valueFrom" in entry
    }
    volumes = [of_volume(volume) for volume in spec.get("volumes", [])]
    mounts = [[mount["name"], mount["mountPath"]] for mount in container.get("volumeMounts", [])]
    assert len(volumes) <= 1 and len(mounts) <= 1
    return {
        "name": manifest["metadata"]["name"],
        "image": container["image"],
        "port": container["ports"][0]["containerPort"],
        "environment": notes["run.googleapis.com/execution-environment"],
        "max instances": int(notes["autoscaling.knative.dev/maxScale"]),
        "concurrency": spec["containerConcurrency"],
        "timeout": spec["timeoutSeconds"],
        "limits": container["resources"]["limits"],
        "variables": {entry["name"]: entry["value"] for entry in variables if "value" in entry},
        "secrets": secrets,
        "cloud sql": notes.get("run.googleapis.com/cloudsql-instances"),
        "network": interfaces and [interfaces[0]["network"], interfaces[0]["subnetwork"]],
        "startup": probe(container, "startupProbe"),
        "liveness": probe(container, "livenessProbe"),
        "mount": mounts[0] if mounts else None,
        "volume": volumes[0] if volumes else None,
    }


def main(path):
    [line] = json.load(sys.stdin)
    if not line["success"]:
        sys.exit(f"{path}: gcloud says: {line['error_message']}")
    told = of_flags({name: given["value"] for name, given in line["command_args"].items()})
    with open(path, encoding="utf-8") as file:
        expected = of_manifest(yaml.safe_load(file))
    differences = [
        f"{key}: the flags say {told[key]!r}, the manifest {value!r}"
        for key, value in expected.items()
        if told[key] != value
    ]
    if differences:
        sys.exit(f"{path}: " + "; ".join(differences))
    print(f"{path}: gcloud knows every flag, and they say the same")


main(sys.argv[1])
