"""A client that knows maglevd by reflection alone, and calls everything.

Usage: reflection_client.py HOST:PORT, at a daemon with the backends a and b in pool0 and
c in pool1 of the frontends v4 and v6, all up. It changes things, and puts them
back.
"""

import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

DEADLINE = 20


class ReflectionClient:
    def __init__(self, channel):
        self.channel = channel
        database = ProtoReflectionDescriptorDatabase(channel)
        self.services = database.get_services()
        pool = descriptor_pool.DescriptorPool(database)
        self.service = pool.FindServiceByName("maglev.Maglev")
        self.called = set()

    def prepare(self, name, fields, /):
        method = self.service.methods_by_name[name]
        self.called.add(name)
        kind = message_factory.GetMessageClass
        request = json_format.ParseDict(fields, kind(method.input_type)())
        stub = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = stub(
            f"/maglev.Maglev/{name}",
            request_serializer=kind(method.input_type).SerializeToString,
            response_deserializer=kind(method.output_type).FromString,
        )
        return call, request

    def call(self, rpc, /, **fields):
        call, request = self.prepare(rpc, fields)
        return call(request, timeout=DEADLINE)

    def refused(self, rpc, /, **fields):
        try:
            self.call(rpc, **fields)
        except grpc.RpcError as error:
            return error.code()
        raise AssertionError(f"{rpc} is not refused")

    def watch(self, most, /, **fields):
        call, request = self.prepare("WatchEvents", fields)
        stream = call(request, timeout=DEADLINE)
        events = [event for _, event in zip(range(most), stream)]
        stream.cancel()
        return events


def main(address):
    channel = grpc.insecure_channel(address)
    grpc.channel_ready_future(channel).result(timeout=DEADLINE)
    maglev = ReflectionClient(channel)
    for service in ["maglev.Maglev", "grpc.health.v1.Health"]:
        assert service in maglev.services, maglev.services

    assert maglev.call("ListFrontends").frontend_names == ["v4", "v6"]
    v4 = maglev.call("GetFrontend", name="v4")
    assert (v4.state, [pool.name for pool in v4.pools]) == ("up", ["pool0", "pool1"])
    assert maglev.call("ListBackends").backend_names == ["a", "b", "c"]
    assert [backend.name for backend in maglev.call("GetBackends").backends] == ["a", "b", "c"]
    assert maglev.call("GetBackend", name="a").state == "up"
    assert maglev.call("ListHealthChecks").names == ["a", "b", "c"]
    assert maglev.call("GetHealthCheck", name="a").type == "http"
    assert maglev.refused("GetBackend", name="nobody") == grpc.StatusCode.NOT_FOUND
    assert maglev.refused("GetBackend") == grpc.StatusCode.INVALID_ARGUMENT

    present = maglev.watch(5, log=False)
    assert [event.WhichOneof("event") for event in present] == ["backend"] * 3 + ["frontend"] * 2
    point = {"bootId": str(present[-1].boot_id), "seq": str(present[-1].seq)}
    assert maglev.call("PauseBackend", name="a").state == "paused"
    since = maglev.watch(1, log=False, resume=point)
    assert since[0].backend.transition.to == "paused", since
    maglev.call("ResumeBackend", name="a")
    assert maglev.call("DisableBackend", name="b").state == "disabled"
    assert maglev.refused("PauseBackend", name="b") == grpc.StatusCode.FAILED_PRECONDITION
    assert maglev.call("EnableBackend", name="b").enabled

    place = {"frontend": "v4", "pool": "pool0", "backend": "a"}
    info = maglev.call("SetFrontendPoolBackendWeight", weight=7, **place)
    assert info.pools[0].backends[0].weight_overridden
    hour_ns = 3_600_000_000_000
    maglev.call("DisableBackend", name="b", for_ns=hour_ns, why="kernel upgrade")
    admin, weight = maglev.call("GetOverrides").overrides
    assert (admin.value, admin.why) == ("disabled", "kernel upgrade"), admin
    assert 0 < admin.left_ns <= hour_ns and not weight.HasField("left_ns"), admin
    assert (weight.kind, weight.value, weight.configured) == ("weight", "7", "100"), weight
    assert maglev.call("UnsetBackend", name="b").enabled
    maglev.call("UnsetFrontendPoolBackendWeight", **place)
    assert not maglev.call("GetOverrides").overrides
    assert maglev.call("PredictChange", frontend="v4", backend="a", weight=50).servers

    assert maglev.call("DrainBackend", name="b").drain.phase == "draining"
    assert not maglev.call("UndrainBackend", name="b").HasField("drain")
    assert maglev.refused("UndrainBackend", name="b") == grpc.StatusCode.FAILED_PRECONDITION
    assert maglev.call("ExplainBackend", name="a").cause
    assert maglev.call("ExplainFrontend", name="v4").cause
    assert [it.name for it in maglev.call("GetFingerprints").frontends] == ["v4", "v6"]
    assert maglev.call("GetTimeline", backend_name="a").events

    assert not maglev.call("GetAnnouncements").announcements
    nothing_announced = grpc.StatusCode.FAILED_PRECONDITION
    assert maglev.refused("SetAnnouncement", all=True, order="withdraw") == nothing_announced
    assert maglev.refused("UnsetAnnouncement", all=True) == nothing_announced

    identity = maglev.call("GetIdentity")
    assert (identity.role, identity.reason) == ("operator", "listener"), identity
    assert maglev.call("CheckConfig").ok
    assert maglev.call("ReloadConfig").ok
    assert maglev.call("GetVPPInfo").version
    assert maglev.call("SyncVPPLBState").applied
    assert maglev.call("GetVPPDoctor").findings
    assert len(maglev.call("GetVPPLBState").vips) == 2
    assert len(maglev.call("GetVPPLBCounters").vips) == 2

    left = set(maglev.service.methods_by_name) - maglev.called
    assert not left, f"never called: {left}"

    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", "maglev.Maglev"]:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health.Check(request, timeout=DEADLINE)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
    try:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=DEADLINE)
        raise AssertionError("the health of nobody is known")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND
    print(f"{len(maglev.called)} calls")


main(sys.argv[1])
