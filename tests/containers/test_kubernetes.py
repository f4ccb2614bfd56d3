"""The manifest of examples/kubernetes: it fits itself, the image, and what rcorn does with these settings."""

import json
import re

import pytest
from support.containerfile import parse
from support.interpreters import ROOT
from support.server import call
from support.subject import IS_RCORN

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

PLACE = ROOT / "examples" / "kubernetes"
DEPLOYMENT, SERVICE = (yaml.safe_load((PLACE / f"{name}.yaml").read_text()) for name in ("deployment", "service"))
POD = DEPLOYMENT["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
IMAGE = dict(step[1].split("=", 1) for step in parse(ROOT / "packaging" / "Containerfile") if step[0] == "ENV")


@pytest.fixture
def settings(directory):
    """What rcorn makes of the arguments, with the image's environment."""
    if not IS_RCORN:
        pytest.skip("about rcorn's settings")
    outcome = call(*CONTAINER["args"], "--print-config", directory=directory, env=IMAGE)
    assert outcome.code == 0, outcome
    return {line.split()[0]: re.split(r"\s{2,}", line)[1] for line in outcome.out.splitlines()}


def test_the_parts_belong_together():
    labels = POD["metadata"]["labels"].items()
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"].items() <= labels and SERVICE["spec"]["selector"].items() <= labels
    (port, metrics), (service,) = CONTAINER["ports"], SERVICE["spec"]["ports"]
    assert service["targetPort"] == port["name"]
    probes = [CONTAINER[name]["httpGet"] for name in PROBES]
    assert {probe["port"] for probe in probes} == {metrics["name"]}
    assert [probe["path"] for probe in probes] == ["/ready", "/ready", "/live"]
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(metrics["containerPort"])
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in POD["spec"]["volumes"]}


def test_rcorn_listens_where_the_port_is(settings):
    assert settings["bind"] == f"0.0.0.0:{CONTAINER['ports'][0]['containerPort']}"
    assert settings["metrics_bind"] == f"0.0.0.0:{CONTAINER['ports'][1]['containerPort']}"


def test_there_is_time_to_drain(settings):
    command, pause = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    grace = POD["spec"]["terminationGracePeriodSeconds"]
    assert command == "sleep" and grace >= int(pause) + int(settings["graceful_timeout"]) + 5


def test_there_is_time_to_start(settings):
    probe = CONTAINER["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > int(settings["startup_timeout"])


def test_nobody_is_root():
    (user,) = [step[1] for step in parse(ROOT / "packaging" / "Containerfile") if step[0] == "USER"]
    context = POD["spec"]["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user and context["runAsNonRoot"] is True
    own = CONTAINER["securityContext"]
    assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"] == {"drop": ["ALL"]}


def test_the_control_socket_lies_in_a_volume(settings):
    places = [mount["mountPath"] for mount in CONTAINER["volumeMounts"]]
    assert settings["control_socket"].rpartition("/")[0] in places and "/tmp" in places


def test_the_image_starts_the_same_application():
    (words,) = [json.loads(step[1]) for step in parse(PLACE / "Containerfile") if step[0] == "CMD"]
    assert words[-1] == CONTAINER["args"][-1]
