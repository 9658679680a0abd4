#!/usr/bin/env python3
"""Prints every change of state that maglevd tells, and never loses one.

A stream that breaks is taken up where it ended. Needs grpcio and
grpcio-reflection (pip install grpcio grpcio-reflection): the messages are learnt
from the daemon itself.

    watch.py [host:port]
"""

import sys
import time

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9090"
    last = None
    while True:
        with grpc.insecure_channel(address) as channel:
            try:
                last = follow(channel, last)
            except grpc.RpcError as error:
                print(f"{address}: {error.details()}", file=sys.stderr)
        # Whoever stopped the daemon may be about to start it again.
        time.sleep(1)


def follow(channel, last):
    """Prints events until the stream ends; gives the last one."""
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    message = lambda name: GetMessageClass(pool.FindMessageTypeByName(name))
    request, event = message("maglev.WatchRequest"), message("maglev.Event")
    watch = channel.unary_stream(
        "/maglev.Maglev/WatchEvents",
        request_serializer=request.SerializeToString,
        response_deserializer=event.FromString,
    )
    ask = request(log=False, dataplane=False)
    if last:
        ask.resume.boot_id, ask.resume.seq = last
    try:
        for told in watch(ask):
            show(told)
            last = (told.boot_id, told.seq)
    except grpc.RpcError as error:
        print(f"the stream ended: {error.details()}", file=sys.stderr)
    return last


def show(told):
    kind = told.WhichOneof("event")
    if kind == "missed":
        print(f"{told.missed.count} events were missed; the present state follows")
    elif kind in ("backend", "frontend"):
        what = getattr(told, kind)
        name = what.backend_name if kind == "backend" else what.frontend_name
        change = what.transition
        print(f"{kind} {name}: {getattr(change, 'from')} -> {change.to} {change.why}".rstrip(), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
