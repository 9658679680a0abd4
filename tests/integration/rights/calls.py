"""Calls every RPC that is named with an empty request, and prints the code of each answer.

Usage: calls.py ADDRESS TOKEN CA CERT KEY METHOD…

TOKEN, and the three files together, may be empty. A method that ends in ":stream" has a
stream of answers.
"""

import sys

import grpc

DEADLINE = 20


def channel_to(address, ca, cert, key):
    if not ca:
        return grpc.insecure_channel(address)
    read = lambda path: open(path, "rb").read()
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(read(ca), read(key), read(cert)),
    )


def code_of(channel, method, metadata):
    name, _, stream = method.partition(":")
    kind = channel.unary_stream if stream else channel.unary_unary
    call = kind(
        f"/maglev.Maglev/{name}",
        request_serializer=lambda message: message,
        response_deserializer=lambda message: message,
    )
    try:
        answer = call(b"", timeout=DEADLINE, metadata=metadata)
        if stream:
            # The head of the answer says whether it is one.
            next(iter(answer))
            answer.cancel()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def main(address, token, ca, cert, key, *methods):
    channel = channel_to(address, ca, cert, key)
    metadata = [("authorization", f"Bearer {token}")] if token else []
    for method in methods:
        print(method.partition(":")[0], code_of(channel, method, metadata))


main(*sys.argv[1:])
